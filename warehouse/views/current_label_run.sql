-- One row a labelled document: the newest run that labelled its newest text. Documents of one query may have different runs: show model and revision.
CREATE VIEW current_label_run AS
SELECT label.document_id, label_run.label_run_id, label_run.model_id, label_run.revision,
    label_run.codebook_version, label_run.codebook_hash, label_run.code_version, label_run.created_at, label.text_revision
FROM relevance_label AS label
JOIN label_run USING (label_run_id)
JOIN document ON document.document_id = label.document_id AND document.text_revision = label.text_revision
QUALIFY row_number() OVER (PARTITION BY label.document_id ORDER BY label_run.created_at DESC, label_run_id DESC) = 1;
COMMENT ON VIEW current_label_run IS 'For each document the newest run that labelled its newest text';

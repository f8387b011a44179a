-- One row a labelled document: the newest run that labelled its newest text. Documents of one query may have different runs: show model and revision.
CREATE VIEW current_label_run AS
SELECT document_id, label_run_id, label_run.model_id, label_run.revision,
    label_run.codebook_version, label_run.codebook_hash, label_run.code_version, label_run.created_at, text_revision
FROM kept_document JOIN label_run USING (label_run_id);
COMMENT ON VIEW current_label_run IS 'For each document the newest run that labelled its newest text';

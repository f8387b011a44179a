-- Relevance of each document by the newest run that labelled its newest text.
CREATE VIEW current_relevance AS
SELECT relevance_label.*
FROM relevance_label JOIN current_label_run USING (document_id, label_run_id, text_revision);
COMMENT ON VIEW current_relevance IS 'Relevance of each document by the newest run that labelled its newest text';

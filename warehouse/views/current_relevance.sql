-- Relevance of each document by the newest run that labelled its newest text.
CREATE VIEW current_relevance AS
SELECT relevance_label.*
FROM relevance_label JOIN (SELECT document_id, label_run_id, text_revision FROM kept_document) AS counts USING (document_id, label_run_id, text_revision);
COMMENT ON VIEW current_relevance IS 'Relevance of each document by the newest run that labelled its newest text';

-- Stances of each document by the newest run that labelled its newest text.
CREATE VIEW current_stance AS
SELECT stance_label.*
FROM stance_label JOIN (SELECT document_id, label_run_id, text_revision FROM kept_document) AS counts USING (document_id, label_run_id, text_revision);
COMMENT ON VIEW current_stance IS 'Stances of each document by the newest run that labelled its newest text';

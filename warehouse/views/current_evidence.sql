-- Sentences that carry a position, by the newest run that labelled the newest text of their document.
CREATE VIEW current_evidence AS
SELECT evidence.*
FROM evidence JOIN (SELECT document_id, label_run_id, text_revision FROM kept_document) AS counts USING (document_id, label_run_id, text_revision);
COMMENT ON VIEW current_evidence IS 'Sentences that carry a position, by the newest run that labelled the newest text of their document';

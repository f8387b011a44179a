-- Documents that this method has no sketch of: those just loaded, and those of a time before it.
SELECT document_id, text FROM document_text SEMI JOIN document USING (document_id)
ANTI JOIN (SELECT document_id FROM sketch WHERE method = $method) AS known USING (document_id)
ORDER BY document_id LIMIT $most

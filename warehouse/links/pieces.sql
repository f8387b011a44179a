-- What is compared of these documents.
SELECT document_id, outlet_id, lang, text FROM document JOIN document_text USING (document_id)
WHERE document_id IN (SELECT unnest(string_split($ids, chr(10))))

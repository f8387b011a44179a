-- A sentence of evidence is exactly that part of the text that was read; offsets count code points.
WITH stored AS (
    SELECT document_id, text_revision, text FROM document JOIN document_text USING (document_id)
    UNION ALL
    SELECT document_id, text_revision, text FROM document_revision
)
SELECT evidence.document_id, label_run_id, target, rank, sentence_start, sentence_end
FROM evidence LEFT JOIN stored USING (document_id, text_revision)
WHERE stored.text IS NULL OR sentence_start IS NULL OR sentence_end IS NULL
    OR sentence_start < 0 OR sentence_end <= sentence_start OR sentence_end > length(stored.text)
    OR substr(stored.text, sentence_start + 1, sentence_end - sentence_start) IS DISTINCT FROM evidence.text

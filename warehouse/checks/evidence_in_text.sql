-- A sentence of evidence is exactly that part of the stored text, as long as retention leaves the text there; offsets count code points.
WITH expired AS (
    SELECT document_id FROM document
    WHERE coalesce(fetched_at, first_seen_at) < (SELECT max(before_at) FROM removal WHERE record = 'document_text')
)
SELECT evidence.document_id, label_run_id, target, rank, sentence_start, sentence_end
FROM evidence LEFT JOIN document_text AS stored USING (document_id)
WHERE CASE WHEN stored.text IS NULL THEN document_id NOT IN (FROM expired)
    ELSE sentence_start IS NULL OR sentence_end IS NULL
        OR sentence_start < 0 OR sentence_end <= sentence_start OR sentence_end > length(stored.text)
        OR substr(stored.text, sentence_start + 1, sentence_end - sentence_start) IS DISTINCT FROM evidence.text END

-- A sentence of evidence is exactly that part of the text that was read, as long as retention leaves the text there; offsets count code points.
WITH stored AS (
    SELECT document_id, text_revision, text, coalesce(fetched_at, first_seen_at) AS fetched_at
    FROM document LEFT JOIN document_text USING (document_id)
    UNION ALL
    SELECT document_id, text_revision, text, fetched_at FROM document_revision
),
expired AS (
    SELECT document_id, text_revision FROM stored
    WHERE fetched_at < (SELECT max(before_at) FROM removal WHERE record IN ('document_text', 'document_revision'))
)
SELECT evidence.document_id, label_run_id, target, rank, sentence_start, sentence_end
FROM evidence LEFT JOIN stored USING (document_id, text_revision)
WHERE CASE WHEN stored.text IS NULL THEN (document_id, text_revision) NOT IN (FROM expired)
    ELSE sentence_start IS NULL OR sentence_end IS NULL
        OR sentence_start < 0 OR sentence_end <= sentence_start OR sentence_end > length(stored.text)
        OR substr(stored.text, sentence_start + 1, sentence_end - sentence_start) IS DISTINCT FROM evidence.text END

-- A label belongs to the text that was read: its input_hash is that of the title and text of its revision, where both are known: not of an erased document.
WITH stored AS (
    SELECT document_id, text_revision, title, text_hash FROM document
    UNION ALL
    SELECT document_id, text_revision, title, text_hash FROM document_revision
)
SELECT label.document_id, label.label_run_id, label.text_revision
FROM relevance_label AS label LEFT JOIN stored USING (document_id, text_revision)
WHERE stored.document_id IS NULL
    OR (stored.text_hash IS NOT NULL AND document_id NOT IN (SELECT document_id FROM removal WHERE record = 'document')
        AND label.input_hash <> left(sha256(concat(stored.title, chr(10), stored.text_hash)), 24))

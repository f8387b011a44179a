-- Human labels of stored documents. A row is new where it differs from what the coder said last before it; what is known
-- exactly is left out, so that an older file, imported again, never becomes the newest word.
INSERT INTO human_label BY NAME
WITH stated AS (
    SELECT known.* EXCLUDE (load_id), NULL AS line FROM human_label AS known
    SEMI JOIN staged_human_label AS staged USING (document_id, coder, kind, target)
    UNION ALL BY NAME
    SELECT staged.*, rowid AS line FROM staged_human_label AS staged SEMI JOIN document USING (document_id)
),
beside AS (
    SELECT *, lag((label, codebook_version, weight)) OVER (
            PARTITION BY document_id, coder, kind, target ORDER BY coded_at, line NULLS FIRST) AS previous,
        count(*) FILTER (line IS NULL) OVER (
            PARTITION BY document_id, coder, kind, target, coded_at, label, codebook_version, weight) AS n_known
    FROM stated
)
SELECT * EXCLUDE (line, previous, n_known), $load_id AS load_id FROM beside
WHERE line IS NOT NULL AND n_known = 0 AND previous IS DISTINCT FROM (label, codebook_version, weight);

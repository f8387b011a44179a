-- What a documents load says of known, pending entries. Final entries never change; rows for unknown entries are left out.
-- The first row of an entry counts; of several entries that became one document the first is loaded, the others are duplicates.
CREATE TEMP TABLE decided AS
WITH first_row AS (
    SELECT *, rowid AS line FROM staged_entry QUALIFY row_number() OVER (PARTITION BY entry_id ORDER BY rowid) = 1
),
open_entry AS (
    SELECT first_row.* FROM first_row JOIN entry USING (entry_id) WHERE entry.outcome = 'pending'
),
judged AS (
    SELECT open_entry.*, open_entry.outcome = 'loaded' AND (known.document_id IS NOT NULL OR row_number() OVER (
        PARTITION BY open_entry.outcome, open_entry.document_id ORDER BY open_entry.line) > 1) AS is_copy
    FROM open_entry LEFT JOIN document AS known ON known.document_id = open_entry.document_id
)
SELECT entry_id, CASE WHEN is_copy THEN 'duplicate' ELSE outcome END AS outcome, reason, attempts, next_attempt_at, quarantined_at, document_id
FROM judged;

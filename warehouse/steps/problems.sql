-- What a load must not contain: any row stops it before anything is written.
SELECT 'entry ' || coalesce(entry_id, '(no id)') || ': outcome ' || coalesce(outcome, 'missing') AS problem
FROM decided WHERE coalesce(outcome, 'pending') NOT IN ('pending', 'loaded', 'duplicate', 'rejected')
    OR ($kind = 'documents' AND outcome IS NULL)
UNION ALL
SELECT 'entry ' || entry_id || ': loaded, but the load has no document of that id with its text'
FROM decided
WHERE outcome = 'loaded' AND NOT EXISTS (
    SELECT 1 FROM staged_document AS document JOIN staged_document_text AS text USING (document_id)
    WHERE document.document_id = decided.document_id AND document.entry_id = decided.entry_id)
UNION ALL
SELECT 'entry ' || entry_id || ': rejected without a reason' FROM decided WHERE outcome = 'rejected' AND reason IS NULL
UNION ALL
SELECT 'a row of entry without entry_id' FROM staged_entry WHERE entry_id IS NULL
LIMIT 5;

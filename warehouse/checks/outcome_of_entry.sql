-- Each entry has one known outcome and what belongs to it; each document is the work of exactly one loaded entry.
SELECT 'unknown outcome' AS problem, entry_id AS id FROM entry
WHERE outcome IS NULL OR outcome NOT IN ('pending', 'loaded', 'duplicate', 'rejected')
UNION ALL
SELECT 'loaded without document', entry_id FROM entry ANTI JOIN document USING (document_id, entry_id) WHERE outcome = 'loaded'
UNION ALL
SELECT 'duplicate of nothing', entry_id FROM entry ANTI JOIN document USING (document_id)
WHERE outcome = 'duplicate' AND entry.document_id IS NOT NULL
UNION ALL
SELECT 'rejected without reason', entry_id FROM entry WHERE outcome = 'rejected' AND reason IS NULL
UNION ALL
SELECT 'rejection of an entry that is not rejected', rejection.entry_id
FROM rejection LEFT JOIN entry USING (entry_id) WHERE rejection.entry_id IS NOT NULL AND entry.outcome IS DISTINCT FROM 'rejected'
UNION ALL
SELECT 'document without loaded entry', document.document_id
FROM document LEFT JOIN entry USING (entry_id)
WHERE entry.outcome IS DISTINCT FROM 'loaded' OR entry.document_id IS DISTINCT FROM document.document_id
UNION ALL
SELECT 'in quarantine and not pending', entry_id FROM entry WHERE quarantined_at IS NOT NULL AND outcome <> 'pending'
UNION ALL
SELECT 'to be fetched again and not loaded', entry_id FROM entry WHERE revise_at IS NOT NULL AND outcome <> 'loaded'

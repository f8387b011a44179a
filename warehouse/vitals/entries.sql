-- The ledger by outcome; what lies in quarantine is told from what is pending.
SELECT CASE WHEN quarantined_at IS NULL THEN outcome ELSE 'quarantined' END AS outcome, count(*) AS n
FROM entry GROUP BY ALL ORDER BY outcome

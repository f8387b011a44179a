-- The rejected ones by reason, the most frequent first.
SELECT coalesce(reason, 'unknown') AS reason, count(*) AS n FROM entry WHERE outcome = 'rejected' GROUP BY ALL ORDER BY n DESC, reason

-- What became of the items of the period, and why some are no documents.
SELECT outcome, CASE WHEN outcome IN ('rejected', 'pending') THEN reason END AS why, count(*) AS items,
    round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM entry
WHERE CAST(coalesce(published_at, first_seen_at) AT TIME ZONE 'UTC' AS DATE) BETWEEN $since AND $until
GROUP BY ALL ORDER BY items DESC, outcome, why

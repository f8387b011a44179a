-- What the feeds offered is what was loaded, duplicate, rejected and left pending: for each poll, each feed, each pass and each run row.
SELECT 'poll' AS record, poll_id AS id FROM poll WHERE offered <> fresh + duplicate OR fresh < 0 OR duplicate < 0
UNION ALL
SELECT 'pass', run_id FROM outcome_by_run WHERE offered <> loaded + duplicate + rejected + pending
UNION ALL
SELECT 'run', run_id FROM run WHERE offered <> loaded + duplicate + rejected + pending
UNION ALL
SELECT 'feed', feed_id
FROM (SELECT feed_id, sum(fresh) AS fresh FROM poll GROUP BY feed_id) AS polled
FULL JOIN (SELECT feed_id, count(*) AS entries FROM entry GROUP BY feed_id) AS held USING (feed_id)
WHERE coalesce(fresh, 0) <> coalesce(entries, 0)

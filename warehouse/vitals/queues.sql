-- What waits for a pass or a person: how much, and for how many seconds the oldest has waited since its turn came.
-- What a backfill left pending waits for the next backfill, and what no feed of the file brings any more for nobody.
SELECT 'pending' AS queue, count(*) AS n, greatest(0, max(epoch(CAST($now AS TIMESTAMPTZ) - coalesce(next_attempt_at, first_seen_at)))) AS age
FROM entry JOIN feed USING (feed_id)
WHERE outcome = 'pending' AND quarantined_at IS NULL AND enabled AND NOT starts_with(feed_id, 'backfill:')
    AND (next_attempt_at IS NULL OR next_attempt_at <= CAST($now AS TIMESTAMPTZ))
UNION ALL
SELECT 'quarantine', count(*), greatest(0, max(epoch(CAST($now AS TIMESTAMPTZ) - quarantined_at))) FROM entry WHERE quarantined_at IS NOT NULL
UNION ALL
SELECT 'feeds', count(*), greatest(0, max(epoch(CAST($now AS TIMESTAMPTZ) - next_poll_at)))
FROM feed WHERE enabled AND next_poll_at <= CAST($now AS TIMESTAMPTZ)

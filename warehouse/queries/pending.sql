-- help: What waits to be tried again or lies in quarantine: entries by state, reason of the last failure and hour (UTC) of the next attempt
-- param: outlet text null only entries of this outlet
WITH waiting AS (
    SELECT CASE WHEN quarantined_at IS NULL THEN 'pending' ELSE 'quarantined' END AS state,
        coalesce(reason, 'not tried yet') AS reason,
        CASE WHEN quarantined_at IS NOT NULL THEN 'replay'
            WHEN next_attempt_at > $now THEN strftime(next_attempt_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:00Z') ELSE 'now' END AS next_attempt,
        NOT feed.enabled AS feed_off, entry.outlet_id, coalesce(attempts, 0) AS attempts, first_seen_at
    FROM entry LEFT JOIN feed USING (feed_id) LEFT JOIN outlet ON outlet.outlet_id = entry.outlet_id
    WHERE outcome = 'pending' AND ($outlet IS NULL OR outlet.name = $outlet)
)
SELECT state, reason, next_attempt, count(*) AS entries, count(*) FILTER (feed_off) AS feed_off, count(DISTINCT outlet_id) AS outlets,
    max(attempts) AS most_attempts, strftime(min(first_seen_at) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS oldest_seen_at
FROM waiting
GROUP BY state, reason, next_attempt
ORDER BY state, next_attempt <> 'now', next_attempt, entries DESC, reason

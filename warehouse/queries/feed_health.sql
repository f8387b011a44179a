-- help: Feeds in trouble: gone (404, 410), failing, moved elsewhere or never answered, with where and when they are asked next
-- param: all bool false also feeds that are well or switched off
WITH last_poll AS (
    SELECT feed_id, max(polled_at) FILTER (outcome <> 'error') AS good_at, arg_max(error, polled_at) FILTER (outcome = 'error') AS error,
        count(*) AS polls
    FROM poll GROUP BY feed_id
),
judged AS (
    SELECT feed.feed_id, outlet.name AS outlet, CASE
            WHEN NOT feed.enabled THEN 'off'
            WHEN gone_at IS NOT NULL THEN 'gone'
            WHEN failures > 0 AND good_at IS NULL THEN 'never answered'
            WHEN failures > 0 THEN 'failing'
            WHEN poll_url IS NOT NULL OR moved_to IS NOT NULL THEN 'moved'
            WHEN polls IS NULL THEN 'not polled yet'
            ELSE 'ok' END AS status,
        feed.url, coalesce(poll_url, feed.url) AS asked_at, moved_to, coalesce(failures, 0) AS failures, coalesce(strain, 0) AS strain,
        CASE WHEN failures > 0 THEN error END AS error, gone_at, good_at,
        round(poll_interval / 60, 1) AS interval_minutes, feed.next_poll_at
    FROM feed
    LEFT JOIN outlet ON outlet.outlet_id = feed.outlet_id
    LEFT JOIN feed_schedule AS schedule ON schedule.feed_id = feed.feed_id AND schedule.url = feed.url
    LEFT JOIN last_poll ON last_poll.feed_id = feed.feed_id
)
SELECT feed_id, outlet, status, url, asked_at, moved_to, failures, strain, error,
    strftime(gone_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS gone_since,
    strftime(good_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS last_good_poll, interval_minutes,
    strftime(next_poll_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS next_poll
FROM judged
WHERE $all OR status NOT IN ('ok', 'off', 'not polled yet')
ORDER BY CASE status WHEN 'gone' THEN 0 WHEN 'never answered' THEN 1 WHEN 'failing' THEN 2 WHEN 'moved' THEN 3 ELSE 4 END, strain DESC, feed_id

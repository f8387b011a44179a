-- The end of a pass: a version of outlet_day for each day whose figures changed. The run row is written beside it.
-- A backfill is no poll of a feed and makes no day complete; a day to which it added entries is measured otherwise than its
-- neighbours, so that it is not complete either.
INSERT INTO outlet_day BY NAME
WITH seen AS (
    SELECT entry.outlet_id, coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE),
            CAST(document.published_at AT TIME ZONE 'UTC' AS DATE), document.published_on,
            CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) AS day,
        count(*) AS n_seen, count(*) FILTER (starts_with(entry.feed_id, 'backfill:')) AS n_backfilled
    FROM entry LEFT JOIN document ON document.entry_id = entry.entry_id GROUP BY ALL
),
feed_day AS (
    SELECT feed_id, CAST(polled_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS polls,
        count(*) FILTER (outcome = 'error') AS failed, arg_max(outcome, (polled_at, poll_id)) <> 'error' AS last_is_good
    FROM poll WHERE NOT starts_with(feed_id, 'backfill:') GROUP BY ALL
),
polled AS (
    SELECT feed.outlet_id, feed_day.day, sum(polls) AS polls, sum(failed) AS failed_polls,
        count(*) FILTER (feed.enabled AND last_is_good) AS good_feeds
    FROM feed_day JOIN feed USING (feed_id) GROUP BY ALL
),
outlet_and_day AS (
    -- also days of earlier versions: an entry moves to its page's day once the page is read
    SELECT outlet_id, day FROM seen UNION SELECT outlet_id, day FROM polled UNION SELECT outlet_id, day FROM current_outlet_day
),
expected AS (
    SELECT outlet_and_day.outlet_id, outlet_and_day.day, count(*) AS feeds
    FROM outlet_and_day JOIN feed USING (outlet_id)
    LEFT JOIN (SELECT feed_id, min(day) AS first_day FROM feed_day GROUP BY feed_id) AS started USING (feed_id)
    WHERE feed.enabled AND coalesce(started.first_day <= outlet_and_day.day, true)
    GROUP BY ALL
),
counted AS (
    SELECT outlet_id, day, coalesce(n_seen, 0) AS n_seen, coalesce(polls, 0) AS polls, coalesce(failed_polls, 0) AS failed_polls,
        coalesce(feeds > 0 AND good_feeds = feeds AND coalesce(n_backfilled, 0) = 0, false)
            AND day < CAST($now AT TIME ZONE 'UTC' AS DATE) AS complete
    FROM outlet_and_day
    LEFT JOIN seen USING (outlet_id, day) LEFT JOIN polled USING (outlet_id, day) LEFT JOIN expected USING (outlet_id, day)
)
SELECT counted.*, $now AS computed_at, $load_id AS load_id
FROM counted LEFT JOIN current_outlet_day AS old USING (outlet_id, day)
WHERE old.outlet_id IS NULL OR (counted.n_seen, counted.polls, counted.failed_polls, counted.complete)
    IS DISTINCT FROM (old.n_seen, old.polls, old.failed_polls, old.complete);

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
    SELECT feed.outlet_id, feed_day.day, sum(polls) AS polls, sum(failed) AS failed_polls
    FROM feed_day JOIN feed USING (feed_id) GROUP BY ALL
),
outlet_and_day AS (
    -- also days of earlier versions: an entry moves to its page's day once the page is read
    SELECT outlet_id, day FROM seen UNION SELECT outlet_id, day FROM polled UNION SELECT outlet_id, day FROM current_outlet_day
),
-- How far each enabled feed was seen: from its first poll to the last good one, the day of which counts where no poll
-- failed after it. A feed that was never polled has no span, and is missing every day.
span AS (
    SELECT feed.feed_id, feed.outlet_id, min(feed_day.day) AS first_day,
        max(feed_day.day) FILTER (polls > failed) AS last_good_day, max(feed_day.day) FILTER (last_is_good) AS last_whole_day
    FROM feed LEFT JOIN feed_day USING (feed_id) WHERE feed.enabled GROUP BY ALL
),
-- A poll that finds (nearly) nothing but new items may have come too late: what came and went before it is lost.
gap AS (
    SELECT feed_id, CAST(since AT TIME ZONE 'UTC' AS DATE) AS first_day, CAST(polled_at AT TIME ZONE 'UTC' AS DATE) AS last_day
    FROM (
        SELECT feed_id, polled_at, offered, fresh, outcome, lag(polled_at) OVER (PARTITION BY feed_id ORDER BY polled_at) AS since
        FROM poll WHERE outcome <> 'error'
    )
    WHERE since IS NOT NULL AND outcome = 'ok' AND offered >= 10 AND fresh > 0.9 * offered
),
missed AS (
    SELECT DISTINCT outlet_and_day.outlet_id, outlet_and_day.day
    FROM outlet_and_day JOIN span USING (outlet_id)
    LEFT JOIN gap ON gap.feed_id = span.feed_id AND outlet_and_day.day BETWEEN gap.first_day AND gap.last_day
    WHERE coalesce(span.first_day <= outlet_and_day.day, true) AND (gap.feed_id IS NOT NULL OR span.last_good_day IS NULL
        OR outlet_and_day.day > span.last_good_day
        OR (outlet_and_day.day = span.last_good_day AND span.last_whole_day IS DISTINCT FROM span.last_good_day))
),
-- Silence: nothing from feeds on seven days in a row, where three or more items a week came in the four weeks before.
week AS (
    SELECT outlet_id, day, sum(n_seen) OVER last_week = 0 AND coalesce(sum(n_seen) OVER before, 0) >= 12 AS is_silent
    FROM (SELECT outlet_id, day, coalesce(n_seen - n_backfilled, 0) AS n_seen FROM outlet_and_day LEFT JOIN seen USING (outlet_id, day))
    WINDOW last_week AS (PARTITION BY outlet_id ORDER BY day RANGE BETWEEN INTERVAL 6 DAY PRECEDING AND CURRENT ROW),
        before AS (PARTITION BY outlet_id ORDER BY day RANGE BETWEEN INTERVAL 34 DAY PRECEDING AND INTERVAL 7 DAY PRECEDING)
),
silent AS (
    SELECT outlet_id, day FROM week
    QUALIFY bool_or(is_silent) OVER (PARTITION BY outlet_id ORDER BY day RANGE BETWEEN CURRENT ROW AND INTERVAL 6 DAY FOLLOWING)
),
counted AS (
    SELECT outlet_id, day, coalesce(n_seen, 0) AS n_seen, coalesce(polls, 0) AS polls, coalesce(failed_polls, 0) AS failed_polls,
        coalesce(first_day <= day, false) AND missed.day IS NULL AND silent.day IS NULL AND coalesce(n_backfilled, 0) = 0
            AND day < CAST($now AT TIME ZONE 'UTC' AS DATE) AS complete
    FROM outlet_and_day
    LEFT JOIN seen USING (outlet_id, day) LEFT JOIN polled USING (outlet_id, day)
    LEFT JOIN missed USING (outlet_id, day) LEFT JOIN silent USING (outlet_id, day)
    LEFT JOIN (SELECT outlet_id, min(first_day) AS first_day FROM span GROUP BY outlet_id) AS begun USING (outlet_id)
)
SELECT counted.*, $now AS computed_at, $load_id AS load_id
FROM counted LEFT JOIN current_outlet_day AS old USING (outlet_id, day)
WHERE old.outlet_id IS NULL OR (counted.n_seen, counted.polls, counted.failed_polls, counted.complete)
    IS DISTINCT FROM (old.n_seen, old.polls, old.failed_polls, old.complete);

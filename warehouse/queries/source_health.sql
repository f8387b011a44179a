-- help: Is it an artefact: outlets that are gone, dark, low or high against their own 28 days before
-- param: as_of date null judged day; the newest day known where none is given
-- param: status text null only outlets of this status: failing, gone, dark, low, high, new or ok
WITH judged AS (
    SELECT coalesce($as_of, max(day)) AS day FROM current_outlet_day WHERE polls > 0
),
window_day AS (
    SELECT outlet.outlet_id, outlet.name AS outlet, outlet.country, outlet.bloc, CAST(series.one_day AS DATE) AS day
    FROM judged, outlet, generate_series(judged.day - INTERVAL 34 DAY, judged.day, INTERVAL 1 DAY) AS series(one_day)
),
padded AS (
    SELECT window_day.*, coalesce(n_seen, 0) AS n_seen, coalesce(polls, 0) AS polls, coalesce(failed_polls, 0) AS failed_polls,
        coalesce(complete, false) AS complete, window_day.day > judged.day - INTERVAL 7 DAY AS recent
    FROM window_day CROSS JOIN judged
    LEFT JOIN current_outlet_day AS known ON known.outlet_id = window_day.outlet_id AND known.day = window_day.day
),
gone AS (
    SELECT feed.outlet_id, count(*) AS feeds, count(*) FILTER (gone_at IS NOT NULL) AS feeds_gone,
        CAST(min(gone_at) AT TIME ZONE 'UTC' AS DATE) AS gone_since
    FROM feed LEFT JOIN feed_schedule AS schedule ON schedule.feed_id = feed.feed_id AND schedule.url = feed.url
    WHERE feed.enabled GROUP BY feed.outlet_id
),
measured AS (
    SELECT outlet_id, outlet, country, bloc,
        avg(n_seen) FILTER (recent) AS seen_a_day, avg(n_seen) FILTER (NOT recent) AS before_a_day,
        stddev_samp(n_seen) FILTER (NOT recent) AS spread,
        count(*) FILTER (NOT recent AND polls > 0) AS days_before,
        CAST(sum(polls) FILTER (recent) AS BIGINT) AS polls, CAST(sum(failed_polls) FILTER (recent) AS BIGINT) AS failed_polls,
        count(*) FILTER (recent AND complete) AS complete_days,
        max(day) FILTER (polls > failed_polls) AS last_good_poll, max(day) FILTER (n_seen > 0) AS last_seen
    FROM padded GROUP BY outlet_id, outlet, country, bloc
),
-- An outlet of less than three items a week is not dark when a week brings none: that is one week in twenty by chance.
-- Where the lower bound falls below zero, low is a quarter of what was usual, if ten items a week were.
judgement AS (
    SELECT *, CASE
        WHEN feeds_gone > 0 AND feeds_gone = feeds THEN 'gone'
        WHEN polls > 0 AND failed_polls = polls THEN 'failing'
        WHEN seen_a_day = 0 AND (before_a_day = 0 OR 7 * before_a_day >= 3) THEN 'dark'
        WHEN days_before < 14 THEN 'new'
        WHEN seen_a_day < greatest(before_a_day - 1.5 * spread, CASE WHEN 7 * before_a_day >= 10 THEN before_a_day / 4 ELSE 0 END) THEN 'low'
        WHEN seen_a_day > before_a_day + 2 * spread THEN 'high'
        ELSE 'ok' END AS status
    FROM measured LEFT JOIN gone USING (outlet_id)
)
SELECT outlet, country, bloc, status, round(seen_a_day, 2) AS seen_a_day, round(before_a_day, 2) AS before_a_day,
    round(spread, 2) AS spread, polls, failed_polls, complete_days, last_good_poll, last_seen,
    coalesce(feeds, 0) AS feeds, coalesce(feeds_gone, 0) AS feeds_gone, gone_since
FROM judgement
WHERE $status IS NULL OR status = $status
ORDER BY CASE status WHEN 'gone' THEN 0 WHEN 'failing' THEN 1 WHEN 'dark' THEN 2 WHEN 'low' THEN 3 WHEN 'high' THEN 4 WHEN 'new' THEN 5 ELSE 6 END, outlet, country

-- help: Is it an artefact: outlets that are dark, low or high against their own 28 days before
-- param: as_of date null judged day; the newest day known where none is given
-- param: status text null only outlets of this status: dark, failing, low, high, new or ok
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
measured AS (
    SELECT outlet, country, bloc,
        avg(n_seen) FILTER (recent) AS seen_a_day, avg(n_seen) FILTER (NOT recent) AS before_a_day,
        stddev_samp(n_seen) FILTER (NOT recent) AS spread,
        count(*) FILTER (NOT recent AND polls > 0) AS days_before,
        CAST(sum(polls) FILTER (recent) AS BIGINT) AS polls, CAST(sum(failed_polls) FILTER (recent) AS BIGINT) AS failed_polls,
        count(*) FILTER (recent AND complete) AS complete_days,
        max(day) FILTER (polls > failed_polls) AS last_good_poll, max(day) FILTER (n_seen > 0) AS last_seen
    FROM padded GROUP BY outlet_id, outlet, country, bloc
),
judgement AS (
    SELECT *, CASE
        WHEN polls > 0 AND failed_polls = polls THEN 'failing'
        WHEN seen_a_day = 0 THEN 'dark'
        WHEN days_before < 14 THEN 'new'
        WHEN seen_a_day < before_a_day - 1.5 * spread THEN 'low'
        WHEN seen_a_day > before_a_day + 2 * spread THEN 'high'
        ELSE 'ok' END AS status
    FROM measured
)
SELECT outlet, country, bloc, status, round(seen_a_day, 2) AS seen_a_day, round(before_a_day, 2) AS before_a_day,
    round(spread, 2) AS spread, polls, failed_polls, complete_days, last_good_poll, last_seen
FROM judgement
WHERE $status IS NULL OR status = $status
ORDER BY CASE status WHEN 'failing' THEN 0 WHEN 'dark' THEN 1 WHEN 'low' THEN 2 WHEN 'high' THEN 3 WHEN 'new' THEN 4 ELSE 5 END, outlet, country

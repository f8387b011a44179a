-- Coverage by country: feeds and outlets at hand, and what became of the items of the period.
WITH item AS (
    SELECT outlet_id, count(*) AS items, count(*) FILTER (outcome = 'loaded') AS loaded, count(*) FILTER (outcome = 'rejected') AS rejected,
        count(*) FILTER (outcome = 'pending') AS pending
    FROM entry
    WHERE CAST(coalesce(published_at, first_seen_at) AT TIME ZONE 'UTC' AS DATE) BETWEEN $since AND $until
    GROUP BY outlet_id
),
day AS (
    SELECT outlet_id, count(*) AS days, count(*) FILTER (complete) AS complete FROM current_outlet_day
    WHERE day BETWEEN $since AND $until GROUP BY outlet_id
),
source AS (
    SELECT outlet_id, count(*) FILTER (enabled) AS feeds FROM feed GROUP BY outlet_id
)
SELECT country, bloc, CAST(coalesce(sum(feeds), 0) AS BIGINT) AS feeds, count(*) AS outlets,
    CAST(coalesce(sum(items), 0) AS BIGINT) AS items, CAST(coalesce(sum(loaded), 0) AS BIGINT) AS loaded,
    CAST(coalesce(sum(rejected), 0) AS BIGINT) AS rejected, CAST(coalesce(sum(pending), 0) AS BIGINT) AS pending,
    round(sum(complete) / sum(days), 4) AS complete_days
FROM outlet LEFT JOIN item USING (outlet_id) LEFT JOIN day USING (outlet_id) LEFT JOIN source USING (outlet_id)
GROUP BY country, bloc ORDER BY items DESC, country, bloc

-- help: What was seen of each outlet on each day, whether it was seen whole, and what became of its items
-- param: outlet text null only the outlet of this name
-- param: bloc text null only outlets of this bloc
-- param: country text null only outlets of this country
-- param: since date null first day; 28 days up to the last one where none is given
-- param: until date null last day; the newest that was polled where none is given
-- param: complete bool null true: only days that were seen whole; false: only the others
WITH last_day AS (
    SELECT coalesce($until, max(day)) AS day FROM current_outlet_day WHERE polls > 0
),
seen AS (
    SELECT outlet_id, outlet.name AS outlet, country, bloc, seen.day, n_seen, polls, failed_polls, coalesce(whole, false) AS complete
    FROM current_outlet_day AS seen
    JOIN outlet USING (outlet_id)
    CROSS JOIN last_day
    LEFT JOIN whole_day ON whole_day.outlet_id = seen.outlet_id AND whole_day.day = seen.day
    WHERE seen.day BETWEEN coalesce($since, last_day.day - 27) AND last_day.day AND ($outlet IS NULL OR outlet.name = $outlet)
        AND ($bloc IS NULL OR bloc = $bloc) AND ($country IS NULL OR country = $country) AND ($complete IS NULL OR (whole IS NOT NULL) = $complete)
),
item AS (  -- by the day under which outlet_day counts it
    SELECT entry.outlet_id, coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE), CAST(document.published_at AT TIME ZONE 'UTC' AS DATE),
            document.published_on, CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) AS day,
        count(*) FILTER (outcome IN ('loaded', 'duplicate')) AS loaded, count(*) FILTER (outcome = 'pending') AS pending,
        count(*) FILTER (outcome = 'rejected') AS rejected, count(*) FILTER (outcome = 'rejected' AND stage = 'extract') AS extraction_failed
    FROM entry LEFT JOIN document USING (entry_id) LEFT JOIN rejection USING (entry_id)
    WHERE entry.outlet_id IN (SELECT outlet_id FROM seen) AND day BETWEEN (SELECT min(day) FROM seen) AND (SELECT max(day) FROM seen)
    GROUP BY ALL
)
SELECT day, outlet, country, bloc, n_seen, complete, polls, failed_polls, coalesce(loaded, 0) AS loaded, coalesce(rejected, 0) AS rejected,
    coalesce(extraction_failed, 0) AS extraction_failed, coalesce(pending, 0) AS pending
FROM seen LEFT JOIN item USING (outlet_id, day)
ORDER BY day DESC, outlet, outlet_id

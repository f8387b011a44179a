-- help: What stands behind a trend: feeds, days seen whole, items that failed and where dates come from, by country, bloc, language or outlet
-- param: by text country group by country, bloc, language (of the feed) or outlet
-- param: since date null first day
-- param: until date null last day
WITH source AS (
    SELECT feed_id, feed.outlet_id, enabled AND NOT starts_with(feed_id, 'backfill:') AS polled,
        coalesce(CASE $by WHEN 'language' THEN split_part(feed.language, '-', 1) WHEN 'bloc' THEN bloc WHEN 'outlet' THEN name ELSE country END, '?') AS place
    FROM feed LEFT JOIN outlet ON outlet.outlet_id = feed.outlet_id
),
item AS (
    SELECT place, outcome, stage, document.document_id, entry.published_at IS NOT NULL AS by_feed,
        document.published_at IS NOT NULL OR published_on IS NOT NULL AS by_page, relevance.abstain
    FROM entry
    JOIN source USING (feed_id)
    LEFT JOIN document USING (entry_id)
    LEFT JOIN rejection USING (entry_id)
    LEFT JOIN current_relevance AS relevance ON relevance.document_id = document.document_id
    WHERE coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE), CAST(document.published_at AT TIME ZONE 'UTC' AS DATE),
        document.published_on, CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) BETWEEN coalesce($since, DATE '0001-01-01') AND coalesce($until, DATE '9999-12-31')
),
counted AS (
    SELECT place, count(*) AS items, count(*) FILTER (outcome IN ('loaded', 'duplicate')) AS loaded, count(*) FILTER (outcome = 'rejected') AS rejected,
        count(*) FILTER (outcome = 'rejected' AND stage = 'extract') AS extraction_failed, count(*) FILTER (outcome = 'pending') AS pending,
        count(document_id) AS documents, count(document_id) FILTER (by_feed) AS by_feed, count(document_id) FILTER (NOT by_feed AND by_page) AS by_page,
        count(document_id) FILTER (NOT by_feed AND NOT by_page) AS by_first_seen, count(document_id) FILTER (abstain) AS abstained
    FROM item GROUP BY place
),
day AS (
    SELECT place, count(*) AS outlet_days, count(*) FILTER (complete) AS complete_days
    FROM current_outlet_day JOIN (SELECT DISTINCT place, outlet_id FROM source) AS home USING (outlet_id)
    WHERE day BETWEEN coalesce($since, DATE '0001-01-01') AND coalesce($until, DATE '9999-12-31')
    GROUP BY place
),
place AS (
    SELECT place, count(*) FILTER (polled) AS feeds, count(DISTINCT outlet_id) AS outlets FROM source GROUP BY place
)
SELECT place, feeds, outlets, coalesce(outlet_days, 0) AS outlet_days, round(complete_days / outlet_days, 4) AS complete_share,
    coalesce(items, 0) AS items, coalesce(loaded, 0) AS loaded, coalesce(rejected, 0) AS rejected, coalesce(extraction_failed, 0) AS extraction_failed,
    round(extraction_failed / items, 4) AS extraction_failed_share, coalesce(pending, 0) AS pending, coalesce(documents, 0) AS documents,
    round(by_feed / documents, 4) AS dates_from_feed, round(by_page / documents, 4) AS dates_from_page,
    round(by_first_seen / documents, 4) AS dates_first_seen, round(abstained / documents, 4) AS relevance_abstained
FROM place LEFT JOIN counted USING (place) LEFT JOIN day USING (place)
ORDER BY items DESC, place

-- help: Share of documents about AI governance by day: pooled, mean over outlets (each counts once), and of distinct stories
-- param: bloc text null only outlets of this bloc
-- param: topic text null only documents that treat this topic
-- param: since date null first day
-- param: complete bool true only days that were fully seen; false shows all days
WITH seen AS (
    SELECT seen.outlet_id, seen.day, n_seen, complete
    FROM current_outlet_day AS seen LEFT JOIN outlet USING (outlet_id)
    WHERE n_seen > 0 AND (complete OR NOT $complete) AND ($bloc IS NULL OR outlet.bloc = $bloc) AND ($since IS NULL OR seen.day >= $since)
),
loaded AS (
    SELECT document.outlet_id, document.day, story_id, country,
        relevant AND NOT abstain AND ($topic IS NULL OR treated.document_id IS NOT NULL) AS on_topic
    FROM kept_document AS document LEFT JOIN outlet USING (outlet_id)
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    SEMI JOIN seen ON seen.outlet_id = document.outlet_id AND seen.day = document.day
),
by_outlet AS (
    SELECT outlet_id, day, count(*) AS n FROM loaded WHERE on_topic GROUP BY ALL
),
by_day AS (  -- repeated: documents that another one of the day tells already
    SELECT day, count(DISTINCT story_id) FILTER (on_topic) AS stories, count(DISTINCT (story_id, country)) FILTER (on_topic) AS votes,
        count(*) - count(DISTINCT story_id) AS repeated
    FROM loaded GROUP BY day
)
SELECT seen.day, CAST(sum(coalesce(n, 0)) AS BIGINT) AS relevant, CAST(sum(n_seen) AS BIGINT) AS seen,
    round(sum(coalesce(n, 0)) / sum(n_seen), 4) AS pooled_share,
    round(avg(coalesce(n, 0) / n_seen), 4) AS outlet_mean_share,
    count(*) AS outlets, count(*) FILTER (complete) AS complete_outlets,
    coalesce(any_value(stories), 0) AS stories, coalesce(any_value(votes), 0) AS votes,
    round(coalesce(any_value(stories), 0) / (sum(n_seen) - coalesce(any_value(repeated), 0)), 4) AS distinct_share
FROM seen LEFT JOIN by_outlet USING (outlet_id, day) LEFT JOIN by_day USING (day)
GROUP BY seen.day
ORDER BY seen.day

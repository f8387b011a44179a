-- help: Share of documents about AI governance by day: pooled, mean over outlets (each counts once), and of distinct stories
-- param: bloc text null only outlets of this bloc
-- param: topic text null only documents that treat this topic
-- param: since date null first day
-- param: complete bool true only days that were fully seen; false shows all days
-- Intervals (95 %) take outlets as independent: of a ratio of sums over outlets, and of a mean of outlets; from five of them on.
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
part AS (
    SELECT seen.outlet_id, seen.day, n_seen, complete, coalesce(n, 0) AS n FROM seen LEFT JOIN by_outlet USING (outlet_id, day)
),
by_day AS (  -- repeated: documents that another one of the day tells already
    SELECT day, count(DISTINCT story_id) FILTER (on_topic) AS stories, count(DISTINCT (story_id, country)) FILTER (on_topic) AS votes,
        count(*) - count(DISTINCT story_id) AS repeated
    FROM loaded GROUP BY day
),
pooled AS (
    SELECT day, sum(n) AS relevant, sum(n_seen) AS seen, sum(n) / sum(n_seen) AS share, avg(n / n_seen) AS mean, count(*) AS outlets,
        stddev_samp(n / n_seen) / sqrt(count(*)) AS mean_error, count(*) FILTER (complete) AS complete_outlets
    FROM part GROUP BY day
),
spread AS (
    SELECT day, sqrt(sum((n - share * n_seen) ** 2) * outlets / (outlets - 1)) / seen AS error
    FROM part JOIN pooled USING (day) WHERE outlets >= 5 GROUP BY day, outlets, seen
)
SELECT day, CAST(relevant AS BIGINT) AS relevant, CAST(seen AS BIGINT) AS seen, round(share, 4) AS pooled_share, round(mean, 4) AS outlet_mean_share,
    outlets, complete_outlets, coalesce(stories, 0) AS stories, coalesce(votes, 0) AS votes,
    round(coalesce(stories, 0) / (seen - coalesce(repeated, 0)), 4) AS distinct_share,
    CASE WHEN outlets >= 5 THEN round(greatest(share - error * t, 0), 4) END AS pooled_low,
    CASE WHEN outlets >= 5 THEN round(least(share + error * t, 1), 4) END AS pooled_high,
    CASE WHEN outlets >= 5 THEN round(greatest(mean - mean_error * t, 0), 4) END AS mean_low,
    CASE WHEN outlets >= 5 THEN round(least(mean + mean_error * t, 1), 4) END AS mean_high
FROM pooled LEFT JOIN spread USING (day) LEFT JOIN by_day USING (day) LEFT JOIN student_t ON df = least(outlets - 1, 200)
ORDER BY day

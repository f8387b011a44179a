-- help: Net stance (favor minus against) by target, bloc and week, one vote a story and country, with 95 % intervals by outlet
-- param: target text null only this target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: least int 5 net and interval only where at least so many clusters (three or more) have votes
-- param: cluster text outlet what counts as independent: outlet, or story
-- The week is that of the story's first document in the country. Interval by jackknife over clusters (CV3 of MacKinnon, Nielsen
-- and Webb, Journal of Applied Econometrics 38, 2023), with the t distribution of one degree of freedom fewer than clusters.
WITH vote AS (
    SELECT target, bloc, CAST(date_trunc('week', day) AS DATE) AS week, story_id, documents, net,
        CASE WHEN $cluster = 'story' THEN story_id ELSE outlet_id END AS cluster
    FROM stance_vote WHERE ($target IS NULL OR target = $target) AND ($bloc IS NULL OR bloc = $bloc)
),
part AS (
    SELECT target, bloc, week, cluster, count(*) AS n, sum(net) AS net FROM vote GROUP BY ALL
),
cell AS (
    SELECT target, bloc, week, count(*) AS n, count(DISTINCT story_id) AS stories, CAST(sum(documents) AS BIGINT) AS documents,
        count(DISTINCT cluster) AS clusters, sum(net) AS total, avg(net) AS net
    FROM vote GROUP BY ALL
),
spread AS (
    SELECT target, bloc, week, (clusters - 1) / clusters * sum(((total - part.net) / (cell.n - part.n) - cell.net) ** 2) AS variance
    FROM part JOIN cell USING (target, bloc, week) WHERE clusters >= greatest($least, 3) GROUP BY target, bloc, week, clusters
),
bounded AS (  -- quantile of t by its expansion (Abramowitz and Stegun 26.7.5)
    SELECT cell.*, variance, clusters - 1 AS df,
        sqrt(variance) * (1.95996 + (2.37227 + (2.8225 + (2.55585 + 1.58953 / df) / df) / df) / df) AS margin
    FROM cell LEFT JOIN spread USING (target, bloc, week)
),
seen AS (
    SELECT outlet.bloc, CAST(date_trunc('week', day) AS DATE) AS week,
        count(*) FILTER (complete) / (7 * count(DISTINCT outlet_id)) AS whole
    FROM current_outlet_day JOIN outlet USING (outlet_id) GROUP BY ALL
)
SELECT target, bloc, week, n, stories, documents, clusters,
    CASE WHEN variance IS NOT NULL THEN round(net, 3) END AS net,
    CASE WHEN variance IS NOT NULL THEN round(greatest(net - margin, -1), 3) END AS low,
    CASE WHEN variance IS NOT NULL THEN round(least(net + margin, 1), 3) END AS high,
    round(coalesce(whole, 0), 2) AS seen_whole, note
FROM bounded LEFT JOIN seen USING (bloc, week) LEFT JOIN target_note USING (target)
ORDER BY target, bloc, week

-- help: Share of documents about AI governance by day: pooled over outlets, and mean over outlets (each counts once)
-- param: bloc text null only outlets of this bloc
-- param: topic text null only documents that treat this topic
-- param: since date null first day
-- param: complete bool true only days that were fully seen; false shows all days
WITH on_topic AS (
    SELECT outlet_id, day, count(*) AS n
    FROM document_current AS document
    WHERE relevant AND NOT abstain AND ($topic IS NULL OR EXISTS (
        SELECT 1 FROM current_topic AS topic WHERE topic.document_id = document.document_id AND topic.topic = $topic AND topic.label))
    GROUP BY outlet_id, day
)
SELECT seen.day, CAST(sum(coalesce(n, 0)) AS BIGINT) AS relevant, CAST(sum(n_seen) AS BIGINT) AS seen,
    round(sum(coalesce(n, 0)) / sum(n_seen), 4) AS pooled_share,
    round(avg(coalesce(n, 0) / n_seen), 4) AS outlet_mean_share,
    count(*) AS outlets, count(*) FILTER (complete) AS complete_outlets
FROM current_outlet_day AS seen
LEFT JOIN outlet USING (outlet_id)
LEFT JOIN on_topic ON on_topic.outlet_id = seen.outlet_id AND on_topic.day = seen.day
WHERE n_seen > 0 AND (complete OR NOT $complete) AND ($bloc IS NULL OR outlet.bloc = $bloc) AND ($since IS NULL OR seen.day >= $since)
GROUP BY seen.day
ORDER BY seen.day

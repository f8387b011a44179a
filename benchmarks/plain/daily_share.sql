WITH seen AS (
    SELECT outlet_id, day, n_seen FROM current_outlet_day WHERE n_seen > 0 AND complete = 1
),
told AS (
    SELECT seen.day, count(*) AS n, count(DISTINCT story_id) AS stories FROM on_topic
    JOIN current_story ON current_story.document_id = on_topic.document_id
    JOIN seen ON seen.outlet_id = on_topic.outlet_id AND seen.day = on_topic.day GROUP BY seen.day
)
SELECT counted.day, coalesce(n, 0) AS relevant, counted.seen, counted.outlets, coalesce(stories, 0) AS stories
FROM (SELECT day, sum(n_seen) AS seen, count(*) AS outlets FROM seen GROUP BY day) AS counted LEFT JOIN told ON told.day = counted.day
ORDER BY 1

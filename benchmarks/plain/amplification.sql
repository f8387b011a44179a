SELECT country AS place, count(*) AS documents, count(DISTINCT story_id) AS stories, count(DISTINCT outlet_id) AS outlets
FROM on_topic JOIN current_story ON current_story.document_id = on_topic.document_id
GROUP BY country ORDER BY 1

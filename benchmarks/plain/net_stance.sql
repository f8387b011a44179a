WITH vote AS (
    SELECT target, story_id, country, bloc, avg(p_favor - p_against) AS net, count(*) AS documents, min(week) AS week
    FROM stance_label AS stance
    JOIN on_topic ON on_topic.document_id = stance.document_id AND on_topic.label_run_id = stance.label_run_id
    JOIN current_story ON current_story.document_id = stance.document_id
    WHERE stance.addressed = 1 AND stance.abstain = 0 GROUP BY target, story_id, country, bloc
)
SELECT target, bloc, week, count(*) AS n, count(DISTINCT story_id) AS stories, sum(documents) AS documents FROM vote
GROUP BY target, bloc, week ORDER BY 1, 2, 3

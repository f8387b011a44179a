WITH ranked AS (
    SELECT on_topic.document_id, story_id, p_against AS p, evidence.text AS sentence,
        row_number() OVER (PARTITION BY story_id ORDER BY p_against DESC, CASE WHEN link <> 'origin' THEN 1 ELSE 0 END, day, on_topic.document_id, rank) AS turn
    FROM stance_label AS stance
    JOIN evidence ON evidence.document_id = stance.document_id AND evidence.label_run_id = stance.label_run_id AND evidence.target = stance.target
    JOIN on_topic ON on_topic.document_id = stance.document_id AND on_topic.label_run_id = stance.label_run_id
    JOIN current_story ON current_story.document_id = stance.document_id
    WHERE stance.target = 'multilateral' AND stance.label = 'against' AND addressed = 1 AND stance.abstain = 0
)
SELECT document_id, sentence FROM ranked WHERE turn = 1 ORDER BY p DESC, document_id LIMIT 20

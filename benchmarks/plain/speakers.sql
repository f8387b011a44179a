SELECT lower(evidence.speaker) AS speaker, count(DISTINCT stance.document_id) AS documents, count(DISTINCT on_topic.outlet_id) AS outlets
FROM stance_label AS stance
JOIN evidence ON evidence.document_id = stance.document_id AND evidence.label_run_id = stance.label_run_id AND evidence.target = stance.target
JOIN on_topic ON on_topic.document_id = stance.document_id AND on_topic.label_run_id = stance.label_run_id
WHERE stance.target = 'multilateral' AND stance.abstain = 0 AND evidence.speaker IS NOT NULL
GROUP BY lower(evidence.speaker) ORDER BY 1

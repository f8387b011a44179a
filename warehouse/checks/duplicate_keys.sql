-- Each key occurs once: there are no unique keys in the DDL, so this proves it.
SELECT 'load' AS record, concat_ws(' ', load_id) AS id, count(*) AS n FROM load GROUP BY load_id HAVING count(*) > 1
UNION ALL
SELECT 'run' AS record, concat_ws(' ', run_id) AS id, count(*) AS n FROM run GROUP BY run_id HAVING count(*) > 1
UNION ALL
SELECT 'outlet' AS record, concat_ws(' ', outlet_id) AS id, count(*) AS n FROM outlet GROUP BY outlet_id HAVING count(*) > 1
UNION ALL
SELECT 'feed' AS record, concat_ws(' ', feed_id) AS id, count(*) AS n FROM feed GROUP BY feed_id HAVING count(*) > 1
UNION ALL
SELECT 'event' AS record, event_id AS id, count(*) AS n FROM event GROUP BY event_id HAVING count(*) > 1
UNION ALL
SELECT 'poll' AS record, concat_ws(' ', poll_id) AS id, count(*) AS n FROM poll GROUP BY poll_id HAVING count(*) > 1
UNION ALL
SELECT 'entry' AS record, concat_ws(' ', entry_id) AS id, count(*) AS n FROM entry GROUP BY entry_id HAVING count(*) > 1
UNION ALL
SELECT 'document' AS record, concat_ws(' ', document_id) AS id, count(*) AS n FROM document GROUP BY document_id HAVING count(*) > 1
UNION ALL
SELECT 'document_text' AS record, concat_ws(' ', document_id) AS id, count(*) AS n FROM document_text GROUP BY document_id HAVING count(*) > 1
UNION ALL
SELECT 'label_run' AS record, concat_ws(' ', label_run_id) AS id, count(*) AS n FROM label_run GROUP BY label_run_id HAVING count(*) > 1
UNION ALL
SELECT 'relevance_label' AS record, concat_ws(' ', document_id, label_run_id, text_revision) AS id, count(*) AS n FROM relevance_label GROUP BY document_id, label_run_id, text_revision HAVING count(*) > 1
UNION ALL
SELECT 'topic_label' AS record, concat_ws(' ', document_id, label_run_id, text_revision, topic) AS id, count(*) AS n FROM topic_label GROUP BY document_id, label_run_id, text_revision, topic HAVING count(*) > 1
UNION ALL
SELECT 'stance_label' AS record, concat_ws(' ', document_id, label_run_id, text_revision, target) AS id, count(*) AS n FROM stance_label GROUP BY document_id, label_run_id, text_revision, target HAVING count(*) > 1
UNION ALL
SELECT 'evidence' AS record, concat_ws(' ', document_id, label_run_id, text_revision, target, rank) AS id, count(*) AS n FROM evidence GROUP BY document_id, label_run_id, text_revision, target, rank HAVING count(*) > 1
UNION ALL
SELECT 'human_label' AS record, concat_ws(' ', document_id, coder, kind, target, label, coded_at) AS id, count(*) AS n FROM human_label
GROUP BY document_id, coder, kind, target, label, codebook_version, coded_at, weight HAVING count(*) > 1
UNION ALL
SELECT 'sketch' AS record, concat_ws(' ', document_id, method) AS id, count(*) AS n FROM sketch GROUP BY document_id, method HAVING count(*) > 1
UNION ALL
SELECT 'story' AS record, concat_ws(' ', document_id, load_id) AS id, count(*) AS n FROM story GROUP BY document_id, load_id HAVING count(*) > 1
UNION ALL
SELECT 'feed_schedule' AS record, feed_id AS id, count(*) AS n FROM feed_schedule GROUP BY feed_id HAVING count(*) > 1
UNION ALL
SELECT 'host' AS record, host AS id, count(*) AS n FROM host GROUP BY host HAVING count(*) > 1
UNION ALL
SELECT 'document_revision' AS record, concat_ws(' ', document_id, text_revision) AS id, count(*) AS n FROM document_revision
GROUP BY document_id, text_revision HAVING count(*) > 1
UNION ALL
SELECT 'outlet_day' AS record, concat_ws(' ', outlet_id, day, load_id) AS id, count(*) AS n FROM outlet_day GROUP BY outlet_id, day, load_id HAVING count(*) > 1
UNION ALL
SELECT 'migration' AS record, concat_ws(' ', number) AS id, count(*) AS n FROM migration GROUP BY number HAVING count(*) > 1
UNION ALL
SELECT 'view_source' AS record, concat_ws(' ', name) AS id, count(*) AS n FROM view_source GROUP BY name HAVING count(*) > 1
UNION ALL
SELECT 'rejection' AS record, entry_id AS id, count(*) AS n FROM rejection WHERE entry_id IS NOT NULL GROUP BY entry_id HAVING count(*) > 1
UNION ALL
SELECT 'rejection' AS record, concat_ws(' ', run_id, url, stage, reason) AS id, count(*) AS n FROM rejection WHERE entry_id IS NULL
GROUP BY run_id, url, stage, reason HAVING count(*) > 1
UNION ALL
SELECT 'past_row' AS record, concat_ws(' ', record, written_by) AS id, count(*) AS n FROM past_row GROUP BY record, content, written_by HAVING count(*) > 1
UNION ALL
SELECT 'removal' AS record, concat_ws(' ', record, document_id, load_id) AS id, count(*) AS n FROM removal GROUP BY record, document_id, load_id HAVING count(*) > 1
UNION ALL
SELECT 'run_stage' AS record, concat_ws(' ', run_id, stage) AS id, count(*) AS n FROM run_stage GROUP BY run_id, stage HAVING count(*) > 1
UNION ALL
SELECT 'check_result' AS record, concat_ws(' ', rule, checked_at) AS id, count(*) AS n FROM check_result GROUP BY rule, checked_at HAVING count(*) > 1

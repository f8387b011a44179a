-- Every row names a load that is recorded.
SELECT 'run' AS record, load_id FROM run WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'outlet' AS record, load_id FROM outlet WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'feed' AS record, load_id FROM feed WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'event' AS record, load_id FROM event WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'poll' AS record, load_id FROM poll WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'entry' AS record, load_id FROM entry WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'document' AS record, load_id FROM document WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'document_text' AS record, load_id FROM document_text WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'label_run' AS record, load_id FROM label_run WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'relevance_label' AS record, load_id FROM relevance_label WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'topic_label' AS record, load_id FROM topic_label WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'stance_label' AS record, load_id FROM stance_label WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'evidence' AS record, load_id FROM evidence WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'outlet_day' AS record, load_id FROM outlet_day WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'sketch' AS record, load_id FROM sketch WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'story' AS record, load_id FROM story WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'human_label' AS record, load_id FROM human_label WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'rejection' AS record, load_id FROM rejection WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'feed_schedule' AS record, load_id FROM feed_schedule WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'host' AS record, load_id FROM host WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'document_revision' AS record, load_id FROM document_revision WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'past_row' AS record, load_id FROM past_row WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'removal' AS record, load_id FROM removal WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'run_stage' AS record, load_id FROM run_stage WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)
UNION ALL
SELECT 'check_result' AS record, load_id FROM check_result WHERE load_id IS NULL OR load_id NOT IN (SELECT load_id FROM load)

-- Text, labels and evidence belong to a stored document, labels to a known run, evidence to a stance; only retention and erasure take a text away.
SELECT 'document_text' AS record, document_id, NULL AS label_run_id FROM document_text ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'document without text', document_id, NULL FROM document ANTI JOIN document_text USING (document_id)
WHERE document_id NOT IN (SELECT document_id FROM removal WHERE record = 'document') AND coalesce(
    coalesce(fetched_at, first_seen_at) >= (SELECT max(before_at) FROM removal WHERE record = 'document_text'), true)
UNION ALL
SELECT 'relevance_label', document_id, label_run_id FROM relevance_label ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'human_label', document_id, NULL FROM human_label ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'topic_label', document_id, label_run_id FROM topic_label ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'stance_label', document_id, label_run_id FROM stance_label ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'evidence', document_id, label_run_id FROM evidence ANTI JOIN stance_label USING (document_id, label_run_id, text_revision, target)
UNION ALL
SELECT 'topic_label without relevance', document_id, label_run_id FROM topic_label ANTI JOIN relevance_label USING (document_id, label_run_id, text_revision)
UNION ALL
SELECT 'stance_label without relevance', document_id, label_run_id FROM stance_label ANTI JOIN relevance_label USING (document_id, label_run_id, text_revision)
UNION ALL
SELECT 'relevance_label without run', document_id, label_run_id FROM relevance_label ANTI JOIN label_run USING (label_run_id)
UNION ALL
SELECT 'document_revision', document_id, NULL FROM document_revision ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'document without an earlier revision', document_id, NULL
FROM document LEFT JOIN (SELECT document_id, count(*) AS n FROM document_revision GROUP BY document_id) AS earlier USING (document_id)
WHERE text_revision <> coalesce(n, 0)

-- Which runs gave the labels that the report shows.
SELECT run.label_run_id, model_id, revision, codebook_version, codebook_hash, code_version, count(*) AS documents
FROM current_label_run AS run JOIN document_current AS document USING (document_id)
WHERE day BETWEEN $since AND $until
GROUP BY ALL ORDER BY documents DESC, run.label_run_id

-- One row a document, coder and target: the coder's newest stance. An irrelevant document is neutral toward every target,
-- as in the model's labels; whoever corrects the relevance takes that back. A target that was not coded has no row.
CREATE VIEW current_human_stance AS
WITH irrelevant AS (
    FROM current_human_label WHERE kind = 'relevance' AND label = 'no'
)
SELECT document_id, coder, target, label, codebook_version, coded_at, weight
FROM current_human_label ANTI JOIN irrelevant USING (document_id, coder)
WHERE kind = 'stance'
UNION ALL
SELECT document_id, coder, stance.target, 'neutral', codebook_version, coded_at, weight
FROM irrelevant JOIN (SELECT document_id, target FROM current_stance) AS stance USING (document_id);
COMMENT ON VIEW current_human_stance IS 'The newest stance of a document toward a target by each coder';

-- One row a document, coder and target: the coder's newest label. Of two labels of one time the one that was imported later counts.
CREATE VIEW current_human_label AS
SELECT * FROM human_label
QUALIFY row_number() OVER (
    PARTITION BY document_id, coder, kind, target ORDER BY coded_at DESC, load_id DESC, label, codebook_version, weight) = 1;
COMMENT ON VIEW current_human_label IS 'The newest label of a document and target by each coder';

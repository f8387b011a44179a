-- What people say of stored documents. Append-only: a changed label is a further row, the view current_human_label takes the newest.
CREATE TABLE human_label (
    document_id VARCHAR,
    coder VARCHAR,
    kind VARCHAR,
    target VARCHAR,
    label VARCHAR,
    codebook_version VARCHAR,
    coded_at TIMESTAMPTZ,
    weight DOUBLE,
    load_id VARCHAR
);
COMMENT ON TABLE human_label IS 'One label of a document by a person; never overwritten';
COMMENT ON COLUMN human_label.document_id IS 'Key: the document';
COMMENT ON COLUMN human_label.coder IS 'Key: who says so';
COMMENT ON COLUMN human_label.kind IS 'Key: relevance, topic or stance';
COMMENT ON COLUMN human_label.target IS 'Key: topic or target of the codebook; relevance for relevance';
COMMENT ON COLUMN human_label.label IS 'Key: favor, against or neutral for a stance, else yes or no';
COMMENT ON COLUMN human_label.codebook_version IS 'Key: version of the codebook that the coder worked with';
COMMENT ON COLUMN human_label.coded_at IS 'Key: when the coder decided; where the file does not say it, when the file was last changed';
COMMENT ON COLUMN human_label.weight IS 'Key: how many documents this one stands for in its sample; NULL where it was not drawn';
COMMENT ON COLUMN human_label.load_id IS 'The load that wrote the row';

COMMENT ON COLUMN load.run_id IS 'The pass, relabelling or import that prepared it';
COMMENT ON COLUMN load.kind IS 'feeds, poll, documents, human or finish';

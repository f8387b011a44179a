-- Copies of one story: what documents are compared by, and to which story each belongs. Both append-only: a document that
-- moves to another story gets a further row, the view current_story takes the newest.
CREATE TABLE sketch (
    document_id VARCHAR,
    method VARCHAR,
    shingles BIGINT[],
    marks BIGINT[],
    load_id VARCHAR
);
COMMENT ON TABLE sketch IS 'What a document is found by when copies are looked for; never overwritten';
COMMENT ON COLUMN sketch.document_id IS 'Key: the document';
COMMENT ON COLUMN sketch.method IS 'Key: version of how documents are compared';
COMMENT ON COLUMN sketch.shingles IS 'Hashes of one in eight runs of five words (ten characters in scripts without spaces)';
COMMENT ON COLUMN sketch.marks IS 'Hashes of pairs of numbers that stand near each other: they survive translation';
COMMENT ON COLUMN sketch.load_id IS 'The load that wrote the row';

CREATE TABLE story (
    document_id VARCHAR,
    story_id VARCHAR,
    parent_id VARCHAR,
    link VARCHAR,
    similarity DOUBLE,
    method VARCHAR,
    computed_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE story IS 'One version of a document''s place in a story. Append-only: where an earlier source or origin arrives later, stories merge, and the documents that move get a further row';
COMMENT ON COLUMN story.document_id IS 'Key: the document';
COMMENT ON COLUMN story.story_id IS 'The document that the story begins with: its origin';
COMMENT ON COLUMN story.parent_id IS 'The earlier document that this one was taken from; NULL for an origin';
COMMENT ON COLUMN story.link IS 'origin, copy or translation';
COMMENT ON COLUMN story.similarity IS 'Share of the shorter text that both have (copy), or agreement a sentence, at most 1 (translation); NULL for an origin';
COMMENT ON COLUMN story.method IS 'Version of how documents are compared';
COMMENT ON COLUMN story.computed_at IS 'When it was decided';
COMMENT ON COLUMN story.load_id IS 'Key: the load that wrote this version';

COMMENT ON COLUMN load.run_id IS 'The pass, relabelling, linking or import that prepared it';
COMMENT ON COLUMN load.kind IS 'feeds, poll, documents, stories, human or finish';

-- What a snapshot needs: rows as they were before a load changed them, and what was removed since.
CREATE TABLE past_row (
    record VARCHAR,
    content VARCHAR,
    written_by VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE past_row IS 'A row of another table as it was before a load changed it. With the rows that no load changed since, these are the table at an earlier load';
COMMENT ON COLUMN past_row.record IS 'The table';
COMMENT ON COLUMN past_row.content IS 'JSON: every column of the row';
COMMENT ON COLUMN past_row.written_by IS 'The load that had written the row so';
COMMENT ON COLUMN past_row.load_id IS 'The load that changed it';

CREATE TABLE removal (
    record VARCHAR,
    document_id VARCHAR,
    before_at TIMESTAMPTZ,
    n BIGINT,
    reason VARCHAR,
    detail VARCHAR,
    removed_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE removal IS 'What retention or erasure took away for good; labels and counts stay';
COMMENT ON COLUMN removal.record IS 'document_text, document_revision (its text), poll, past_row (of feeds and hosts) or warc for retention; document for an erasure: its texts, evidence, titles, authors, addresses, sketch, story and page';
COMMENT ON COLUMN removal.document_id IS 'The erased document; NULL for retention';
COMMENT ON COLUMN removal.before_at IS 'Retention took what was older than this; NULL for an erasure';
COMMENT ON COLUMN removal.n IS 'So many rows, for warc so many files';
COMMENT ON COLUMN removal.reason IS 'retention or erasure';
COMMENT ON COLUMN removal.detail IS 'Why a document was erased, in the words of who did it';
COMMENT ON COLUMN removal.removed_at IS 'When';
COMMENT ON COLUMN removal.load_id IS 'The load that removed it';

COMMENT ON COLUMN load.kind IS 'feeds, poll, documents, stories, human, replay, finish, retention or erasure';
COMMENT ON COLUMN load.loaded_at IS 'When it was written here; no two loads have one time, so this orders them as they were stored';

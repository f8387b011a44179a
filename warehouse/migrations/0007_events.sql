-- Events that trends are read against, so that SQL alone can join them. An events load is the whole list: what it lists no
-- longer is taken out and kept in past_row.
CREATE TABLE event (
    event_id VARCHAR,
    day DATE,
    name VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE event IS 'Something that happened on a day: the events file, as the newest pass read it';
COMMENT ON COLUMN event.event_id IS 'Key: stable hash of day and name';
COMMENT ON COLUMN event.day IS 'The day on which it happened';
COMMENT ON COLUMN event.name IS 'What happened';
COMMENT ON COLUMN event.load_id IS 'The load that wrote the row';

COMMENT ON COLUMN load.kind IS 'feeds, events, poll, documents, stories, human, replay, finish, retention or erasure';

-- What a pass took, and what the rules found last: `stancewatch status` reads both.
CREATE TABLE run_stage (
    run_id VARCHAR,
    stage VARCHAR,
    batches INTEGER,
    seconds DOUBLE,
    slowest DOUBLE,
    load_id VARCHAR
);
COMMENT ON TABLE run_stage IS 'What the stages of a pass took, as its own process saw them';
COMMENT ON COLUMN run_stage.run_id IS 'Key: the pass';
COMMENT ON COLUMN run_stage.stage IS 'Key: poll, fetch, extract, label, load, sketch or link';
COMMENT ON COLUMN run_stage.batches IS 'How often it ran: a batch each';
COMMENT ON COLUMN run_stage.seconds IS 'Seconds of all of them together; batches run side by side, so this may be more than the pass took';
COMMENT ON COLUMN run_stage.slowest IS 'Seconds of the slowest one';
COMMENT ON COLUMN run_stage.load_id IS 'The load that wrote the row';

ALTER TABLE run ADD COLUMN memory BIGINT;
COMMENT ON COLUMN run.memory IS 'Most bytes of memory that the process of the pass held at once, without its extracting processes; NULL: a pass of an earlier version';

CREATE TABLE check_result (
    rule VARCHAR,
    broken BIGINT,
    checked_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE check_result IS 'What a rule of warehouse/checks found, a row for each time it was asked by maintenance';
COMMENT ON COLUMN check_result.rule IS 'Key: name of the rule';
COMMENT ON COLUMN check_result.broken IS 'Rows that break it; 0: none';
COMMENT ON COLUMN check_result.checked_at IS 'Key: when it was asked';
COMMENT ON COLUMN check_result.load_id IS 'The load that wrote the row';

COMMENT ON COLUMN load.kind IS 'feeds, events, poll, documents, stories, human, replay, finish, retention, erasure or checks';

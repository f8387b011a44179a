-- Results that are kept: what holds of a document and of an outlet's day now. Each is the answer of kept/NAME.sql, which every
-- load brings up to date for what it touched (docs/decisions/0011-kept-results.md). Nothing here is the only place of anything.
CREATE TABLE kept_document (
    document_id VARCHAR,
    outlet_id VARCHAR,
    lang VARCHAR,
    day DATE,
    told_on DATE,
    moment TIMESTAMPTZ,
    label_run_id VARCHAR,
    text_revision INTEGER,
    p_relevant DOUBLE,
    relevant BOOLEAN,
    abstain BOOLEAN,
    story_id VARCHAR,
    parent_id VARCHAR,
    link VARCHAR,
    similarity DOUBLE,
    placed_at TIMESTAMPTZ,
    placed_by VARCHAR
);
COMMENT ON TABLE kept_document IS 'Kept result: when each document was published, whose labels count, and its place in a story. Ask the views document_current, document_time, current_label_run and current_story';
COMMENT ON COLUMN kept_document.document_id IS 'Key: the document';
COMMENT ON COLUMN kept_document.outlet_id IS 'Its outlet';
COMMENT ON COLUMN kept_document.lang IS 'Language of the text, BCP 47';
COMMENT ON COLUMN kept_document.day IS 'Day (UTC) under which outlet_day counts it';
COMMENT ON COLUMN kept_document.told_on IS 'Day (UTC) of publication, that of the moment where one is known';
COMMENT ON COLUMN kept_document.moment IS 'Moment of publication, where an hour is known';
COMMENT ON COLUMN kept_document.label_run_id IS 'Newest run that labelled its newest text; NULL: none';
COMMENT ON COLUMN kept_document.text_revision IS 'The revision that it labelled';
COMMENT ON COLUMN kept_document.p_relevant IS 'Probability of relevance by that run';
COMMENT ON COLUMN kept_document.relevant IS 'Relevant by that run';
COMMENT ON COLUMN kept_document.abstain IS 'That run abstained';
COMMENT ON COLUMN kept_document.story_id IS 'The document that its story begins with; itself where it was not compared yet';
COMMENT ON COLUMN kept_document.parent_id IS 'The earlier document that it was taken from; NULL for an origin';
COMMENT ON COLUMN kept_document.link IS 'origin, copy or translation';
COMMENT ON COLUMN kept_document.similarity IS 'As in story';
COMMENT ON COLUMN kept_document.placed_at IS 'When its place was decided; NULL: it was not compared yet';
COMMENT ON COLUMN kept_document.placed_by IS 'The load that wrote its place';

CREATE TABLE kept_outlet_day (
    outlet_id VARCHAR,
    day DATE,
    n_seen INTEGER,
    polls INTEGER,
    failed_polls INTEGER,
    complete BOOLEAN,
    computed_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE kept_outlet_day IS 'Kept result: the newest version of each row of outlet_day. Ask the view current_outlet_day';
COMMENT ON COLUMN kept_outlet_day.outlet_id IS 'Key: the outlet';
COMMENT ON COLUMN kept_outlet_day.day IS 'Key: the day, UTC';
COMMENT ON COLUMN kept_outlet_day.n_seen IS 'As in outlet_day';
COMMENT ON COLUMN kept_outlet_day.polls IS 'As in outlet_day';
COMMENT ON COLUMN kept_outlet_day.failed_polls IS 'As in outlet_day';
COMMENT ON COLUMN kept_outlet_day.complete IS 'As in outlet_day';
COMMENT ON COLUMN kept_outlet_day.computed_at IS 'When this version was counted';
COMMENT ON COLUMN kept_outlet_day.load_id IS 'The load that wrote this version';

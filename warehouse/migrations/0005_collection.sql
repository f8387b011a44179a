-- Collection: when and where a feed is asked, what hosts are owed, quarantine, and texts that were corrected.

CREATE TABLE feed_schedule (
    feed_id VARCHAR,
    url VARCHAR,
    decided_at TIMESTAMPTZ,
    poll_interval DOUBLE,
    strain DOUBLE,
    fresh_at TIMESTAMPTZ,
    read_at TIMESTAMPTZ,
    poll_url VARCHAR,
    moved_to VARCHAR,
    moved_at TIMESTAMPTZ,
    gone_at TIMESTAMPTZ,
    wishes VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE feed_schedule IS 'What the next poll of a feed hangs on, as its newest poll left it; of no account where url is no longer that of the feed';
COMMENT ON COLUMN feed_schedule.feed_id IS 'Key: the feed';
COMMENT ON COLUMN feed_schedule.url IS 'The address in the feeds file that this belongs to';
COMMENT ON COLUMN feed_schedule.decided_at IS 'The poll that decided it';
COMMENT ON COLUMN feed_schedule.poll_interval IS 'Seconds between two polls while it answers, steered by the share of known items';
COMMENT ON COLUMN feed_schedule.strain IS 'Failed polls in a row, weighted: 1, 0.5 where it may pass, 0.25 where it says nothing of the feed';
COMMENT ON COLUMN feed_schedule.fresh_at IS 'Last poll that brought an item never seen before';
COMMENT ON COLUMN feed_schedule.read_at IS 'Last answer that came with its body: a day later the next one is asked for without validators';
COMMENT ON COLUMN feed_schedule.poll_url IS 'Where it is polled since a permanent redirect was believed; NULL: at url';
COMMENT ON COLUMN feed_schedule.moved_to IS 'Where permanent redirects lead; believed after seven days';
COMMENT ON COLUMN feed_schedule.moved_at IS 'Since when they lead there';
COMMENT ON COLUMN feed_schedule.gone_at IS 'First answer 404 or 410 since the last good poll';
COMMENT ON COLUMN feed_schedule.wishes IS 'JSON: what the feed says about being asked: period, skip_hours, skip_days';
COMMENT ON COLUMN feed_schedule.load_id IS 'The load that wrote the row last';

CREATE TABLE host (
    host VARCHAR,
    updated_at TIMESTAMPTZ,
    strikes INTEGER,
    free_at TIMESTAMPTZ,
    day DATE,
    requests BIGINT,
    bytes BIGINT,
    load_id VARCHAR
);
COMMENT ON TABLE host IS 'What a host was asked for on its newest day, and how it took it';
COMMENT ON COLUMN host.host IS 'Key: host, with the port where it is not the usual one';
COMMENT ON COLUMN host.updated_at IS 'When it was asked last';
COMMENT ON COLUMN host.strikes IS 'Answers 429, 503 or repeated 403, less the good ones since; each makes the next rest longer';
COMMENT ON COLUMN host.free_at IS 'It rests until then; NULL: it does not';
COMMENT ON COLUMN host.day IS 'The day (UTC) that is counted';
COMMENT ON COLUMN host.requests IS 'Requests of that day';
COMMENT ON COLUMN host.bytes IS 'Bytes of bodies received on that day, before decompression';
COMMENT ON COLUMN host.load_id IS 'The load that wrote the row last';

ALTER TABLE entry ADD COLUMN quarantined_at TIMESTAMPTZ;
ALTER TABLE entry ADD COLUMN updated_at TIMESTAMPTZ;
ALTER TABLE entry ADD COLUMN revise_at TIMESTAMPTZ;
ALTER TABLE entry ADD COLUMN rechecks INTEGER;
COMMENT ON COLUMN entry.quarantined_at IS 'Pending, and tried no more until `stancewatch replay` puts it back; NULL: not in quarantine';
COMMENT ON COLUMN entry.updated_at IS 'When the feed says that the article was changed last';
COMMENT ON COLUMN entry.revise_at IS 'Loaded, and to be fetched again from then on since the feed calls it changed; NULL: not';
COMMENT ON COLUMN entry.rechecks IS 'How often a loaded entry was fetched again';

ALTER TABLE document ADD COLUMN text_revision INTEGER DEFAULT 0;
ALTER TABLE relevance_label ADD COLUMN text_revision INTEGER DEFAULT 0;
ALTER TABLE topic_label ADD COLUMN text_revision INTEGER DEFAULT 0;
ALTER TABLE stance_label ADD COLUMN text_revision INTEGER DEFAULT 0;
ALTER TABLE evidence ADD COLUMN text_revision INTEGER DEFAULT 0;
COMMENT ON COLUMN document.text_revision IS 'How often its title or text was replaced by a corrected one; document_revision keeps the earlier ones';
COMMENT ON COLUMN relevance_label.text_revision IS 'Key: the revision of the document that was read';
COMMENT ON COLUMN topic_label.text_revision IS 'Key: the revision of the document that was read';
COMMENT ON COLUMN stance_label.text_revision IS 'Key: the revision of the document that was read';
COMMENT ON COLUMN evidence.text_revision IS 'Key: the revision of the document that was read; offsets count in its text';

CREATE TABLE document_revision (
    document_id VARCHAR,
    text_revision INTEGER,
    title VARCHAR,
    text VARCHAR,
    text_hash VARCHAR,
    fetched_at TIMESTAMPTZ,
    replaced_at TIMESTAMPTZ,
    warc_path VARCHAR,
    extractor VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE document_revision IS 'An earlier title and text of a document that was corrected; the newest one is in document and document_text';
COMMENT ON COLUMN document_revision.document_id IS 'Key: the document';
COMMENT ON COLUMN document_revision.text_revision IS 'Key: 0 is what was read first';
COMMENT ON COLUMN document_revision.title IS 'Title at that time';
COMMENT ON COLUMN document_revision.text IS 'Text at that time';
COMMENT ON COLUMN document_revision.text_hash IS 'SHA-256 of that text';
COMMENT ON COLUMN document_revision.fetched_at IS 'When that page was fetched';
COMMENT ON COLUMN document_revision.replaced_at IS 'When the page with the next text was fetched';
COMMENT ON COLUMN document_revision.warc_path IS 'WARC file with that page, below the data folder; NULL: it was not kept';
COMMENT ON COLUMN document_revision.extractor IS 'Name and version of what extracted that text';
COMMENT ON COLUMN document_revision.load_id IS 'The load that replaced it';

COMMENT ON COLUMN load.kind IS 'feeds, poll, documents, human, replay or finish';
COMMENT ON COLUMN document.warc_path IS 'WARC file with the page, below the data folder; NULL: its owner does not want it kept';
COMMENT ON COLUMN outlet_day.complete IS 'The day is over and nothing that the enabled feeds of the outlet showed can have been missed: each was polled before or on it and well at its end or later, no poll over it found (nearly) nothing but new items, and the outlet did not lie silent for a week in which three items or more were usual';

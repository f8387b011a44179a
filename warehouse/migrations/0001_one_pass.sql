-- The tables of one whole pass. DDL keeps to what DuckLake takes too: no keys, indexes or sequences; MERGE keeps keys
-- unique and checks/*.sql prove it. Times are TIMESTAMPTZ in UTC.

CREATE TABLE load (
    load_id VARCHAR,
    run_id VARCHAR,
    kind VARCHAR,
    created_at TIMESTAMPTZ,
    loaded_at TIMESTAMPTZ,
    code_version VARCHAR
);
COMMENT ON TABLE load IS 'One transaction: every row of the other tables names the one that wrote it last';
COMMENT ON COLUMN load.load_id IS 'Key; sorts by the time at which the load was prepared';
COMMENT ON COLUMN load.run_id IS 'The pass that prepared it';
COMMENT ON COLUMN load.kind IS 'feeds, poll, documents or finish';
COMMENT ON COLUMN load.created_at IS 'When it was prepared in the spool';
COMMENT ON COLUMN load.loaded_at IS 'When it was written here';
COMMENT ON COLUMN load.code_version IS 'Version of the package that wrote it';

CREATE TABLE run (
    run_id VARCHAR,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    offered BIGINT,
    loaded BIGINT,
    duplicate BIGINT,
    rejected BIGINT,
    pending BIGINT,
    load_id VARCHAR
);
COMMENT ON TABLE run IS 'One finished pass; a killed pass has entries and polls, but no row here';
COMMENT ON COLUMN run.run_id IS 'Key';
COMMENT ON COLUMN run.started_at IS 'When the pass began';
COMMENT ON COLUMN run.finished_at IS 'When its outcomes were counted';
COMMENT ON COLUMN run.offered IS 'Items that the feeds offered to this pass: the sum of the next four';
COMMENT ON COLUMN run.loaded IS 'Of these, items that had become documents when the pass ended';
COMMENT ON COLUMN run.duplicate IS 'Of these, items that were known before, or whose document was';
COMMENT ON COLUMN run.rejected IS 'Of these, items that will never be documents';
COMMENT ON COLUMN run.pending IS 'Of these, items that were left for a later pass';
COMMENT ON COLUMN run.load_id IS 'The load that wrote the row last';

CREATE TABLE outlet (
    outlet_id VARCHAR,
    name VARCHAR,
    country VARCHAR,
    bloc VARCHAR,
    language VARCHAR,
    ownership VARCHAR,
    kind VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE outlet IS 'A publisher';
COMMENT ON COLUMN outlet.outlet_id IS 'Key: stable hash of name and country';
COMMENT ON COLUMN outlet.name IS 'Name for people';
COMMENT ON COLUMN outlet.country IS 'ISO 3166-1 alpha-2; XX for international bodies';
COMMENT ON COLUMN outlet.bloc IS 'us, china, eu, europe, g7, brics, global_south or international';
COMMENT ON COLUMN outlet.language IS 'Main language, BCP 47';
COMMENT ON COLUMN outlet.ownership IS 'state, public, private, nonprofit or government';
COMMENT ON COLUMN outlet.kind IS 'news, official, analysis or advocacy';
COMMENT ON COLUMN outlet.load_id IS 'The load that wrote the row last';

CREATE TABLE feed (
    feed_id VARCHAR,
    outlet_id VARCHAR,
    url VARCHAR,
    language VARCHAR,
    kind VARCHAR,
    enabled BOOLEAN,
    etag VARCHAR,
    last_modified VARCHAR,
    body_hash VARCHAR,
    next_poll_at TIMESTAMPTZ,
    failures INTEGER,
    load_id VARCHAR
);
COMMENT ON TABLE feed IS 'A source that is polled, with the validators of the version whose entries are stored';
COMMENT ON COLUMN feed.feed_id IS 'Key: the id of the feeds file';
COMMENT ON COLUMN feed.outlet_id IS 'Whose feed it is';
COMMENT ON COLUMN feed.url IS 'Where it is polled';
COMMENT ON COLUMN feed.language IS 'Language of its items, BCP 47';
COMMENT ON COLUMN feed.kind IS 'news, official, analysis or advocacy';
COMMENT ON COLUMN feed.enabled IS 'False: not polled; a feed that the newest feeds load does not list is off';
COMMENT ON COLUMN feed.etag IS 'ETag of the last version whose entries are stored';
COMMENT ON COLUMN feed.last_modified IS 'Last-Modified of that version, as sent';
COMMENT ON COLUMN feed.body_hash IS 'SHA-256 of the body of that version';
COMMENT ON COLUMN feed.next_poll_at IS 'Not polled before; NULL: due now';
COMMENT ON COLUMN feed.failures IS 'Failed polls in a row';
COMMENT ON COLUMN feed.load_id IS 'The load that wrote the row last';

CREATE TABLE poll (
    poll_id VARCHAR,
    run_id VARCHAR,
    feed_id VARCHAR,
    polled_at TIMESTAMPTZ,
    status INTEGER,
    outcome VARCHAR,
    error VARCHAR,
    offered INTEGER,
    fresh INTEGER,
    duplicate INTEGER,
    etag VARCHAR,
    last_modified VARCHAR,
    body_hash VARCHAR,
    next_poll_at TIMESTAMPTZ,
    failures INTEGER,
    load_id VARCHAR
);
COMMENT ON TABLE poll IS 'One request for one feed';
COMMENT ON COLUMN poll.poll_id IS 'Key';
COMMENT ON COLUMN poll.run_id IS 'The pass';
COMMENT ON COLUMN poll.feed_id IS 'The feed';
COMMENT ON COLUMN poll.polled_at IS 'When the answer was there';
COMMENT ON COLUMN poll.status IS 'HTTP status; NULL where there was no answer';
COMMENT ON COLUMN poll.outcome IS 'ok, unchanged (304 or the same body) or error';
COMMENT ON COLUMN poll.error IS 'Why it failed';
COMMENT ON COLUMN poll.offered IS 'Items in the feed: fresh + duplicate';
COMMENT ON COLUMN poll.fresh IS 'Items never seen before; counted in the load';
COMMENT ON COLUMN poll.duplicate IS 'Items known before, in this load or an earlier one; counted in the load';
COMMENT ON COLUMN poll.etag IS 'ETag of the answer';
COMMENT ON COLUMN poll.last_modified IS 'Last-Modified of the answer';
COMMENT ON COLUMN poll.body_hash IS 'SHA-256 of the body';
COMMENT ON COLUMN poll.next_poll_at IS 'When the feed is due again';
COMMENT ON COLUMN poll.failures IS 'Failed polls in a row, this one included';
COMMENT ON COLUMN poll.load_id IS 'The load that wrote the row last';

CREATE TABLE entry (
    entry_id VARCHAR,
    feed_id VARCHAR,
    outlet_id VARCHAR,
    url VARCHAR,
    title VARCHAR,
    published_at TIMESTAMPTZ,
    date_doubt VARCHAR,
    position INTEGER,
    first_seen_at TIMESTAMPTZ,
    outcome VARCHAR,
    reason VARCHAR,
    attempts INTEGER,
    next_attempt_at TIMESTAMPTZ,
    document_id VARCHAR,
    run_id VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE entry IS 'What a feed said about an article, and what became of it: the ledger of pending work';
COMMENT ON COLUMN entry.entry_id IS 'Key: stable hash of the normalised url, or of feed and guid where there is no link';
COMMENT ON COLUMN entry.feed_id IS 'The feed that offered it first';
COMMENT ON COLUMN entry.outlet_id IS 'Whose feed that is';
COMMENT ON COLUMN entry.url IS 'Normalised link';
COMMENT ON COLUMN entry.title IS 'Title in the feed';
COMMENT ON COLUMN entry.published_at IS 'Date in the feed; NULL where it has none that can be trusted';
COMMENT ON COLUMN entry.date_doubt IS 'Why that date is not trusted';
COMMENT ON COLUMN entry.position IS 'Place in the feed, 0 first';
COMMENT ON COLUMN entry.first_seen_at IS 'When a poll first showed it';
COMMENT ON COLUMN entry.outcome IS 'pending, or final: loaded, duplicate, rejected';
COMMENT ON COLUMN entry.reason IS 'Short stable word for a rejection, or for the last failed attempt';
COMMENT ON COLUMN entry.attempts IS 'Attempts so far';
COMMENT ON COLUMN entry.next_attempt_at IS 'Not tried before; NULL: now';
COMMENT ON COLUMN entry.document_id IS 'The document it became (loaded) or turned out to be (duplicate)';
COMMENT ON COLUMN entry.run_id IS 'The pass that saw it first: the outcomes of a pass are those of its entries';
COMMENT ON COLUMN entry.load_id IS 'The load that wrote the row last';

CREATE TABLE document (
    document_id VARCHAR,
    outlet_id VARCHAR,
    feed_id VARCHAR,
    entry_id VARCHAR,
    url VARCHAR,
    canonical_url VARCHAR,
    title VARCHAR,
    authors VARCHAR[],
    published_at TIMESTAMPTZ,
    published_on DATE,
    date_source VARCHAR,
    first_seen_at TIMESTAMPTZ,
    fetched_at TIMESTAMPTZ,
    lang VARCHAR,
    text_hash VARCHAR,
    text_length INTEGER,
    warc_path VARCHAR,
    extractor VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE document IS 'An article, from the page that the entry led to';
COMMENT ON COLUMN document.document_id IS 'Key: stable hash of the final url';
COMMENT ON COLUMN document.outlet_id IS 'Whose feed led to it first';
COMMENT ON COLUMN document.feed_id IS 'The feed that led to it first';
COMMENT ON COLUMN document.entry_id IS 'The entry that became it';
COMMENT ON COLUMN document.url IS 'Where the page was, after redirects';
COMMENT ON COLUMN document.canonical_url IS 'Normalised final url';
COMMENT ON COLUMN document.title IS 'Title of the article';
COMMENT ON COLUMN document.authors IS 'Authors in the order of the page';
COMMENT ON COLUMN document.published_at IS 'Time of publication; NULL where only a day, or nothing, is known';
COMMENT ON COLUMN document.published_on IS 'Day of publication as the page gives it';
COMMENT ON COLUMN document.date_source IS 'jsonld, meta, htmldate or feed: where the date came from';
COMMENT ON COLUMN document.first_seen_at IS 'When a feed first showed it';
COMMENT ON COLUMN document.fetched_at IS 'When the page was fetched';
COMMENT ON COLUMN document.lang IS 'Language of the text, BCP 47';
COMMENT ON COLUMN document.text_hash IS 'SHA-256 of the text';
COMMENT ON COLUMN document.text_length IS 'Code points of the text';
COMMENT ON COLUMN document.warc_path IS 'WARC file with the page, below the data folder';
COMMENT ON COLUMN document.extractor IS 'Name and version of what extracted the text';
COMMENT ON COLUMN document.load_id IS 'The load that wrote the row last';

CREATE TABLE document_text (
    document_id VARCHAR,
    text VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE document_text IS 'The text, apart: most queries do not need it';
COMMENT ON COLUMN document_text.document_id IS 'Key: the document';
COMMENT ON COLUMN document_text.text IS 'Extracted text; offsets of evidence count its code points';
COMMENT ON COLUMN document_text.load_id IS 'The load that wrote the row last';

CREATE TABLE label_run (
    label_run_id VARCHAR,
    model_id VARCHAR,
    revision VARCHAR,
    codebook_version VARCHAR,
    codebook_hash VARCHAR,
    code_version VARCHAR,
    created_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE label_run IS 'One model with one codebook and one version of the code';
COMMENT ON COLUMN label_run.label_run_id IS 'Key';
COMMENT ON COLUMN label_run.model_id IS 'Name of the model';
COMMENT ON COLUMN label_run.revision IS 'Hash of its weights';
COMMENT ON COLUMN label_run.codebook_version IS 'Version that the codebook states';
COMMENT ON COLUMN label_run.codebook_hash IS 'SHA-256 of the codebook';
COMMENT ON COLUMN label_run.code_version IS 'Version of the package';
COMMENT ON COLUMN label_run.created_at IS 'When it labelled first';
COMMENT ON COLUMN label_run.load_id IS 'The load that wrote the row last';

CREATE TABLE relevance_label (
    document_id VARCHAR,
    label_run_id VARCHAR,
    p DOUBLE,
    label BOOLEAN,
    abstain BOOLEAN,
    input_hash VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE relevance_label IS 'Is the document about AI governance; never overwritten';
COMMENT ON COLUMN relevance_label.document_id IS 'Key: the document';
COMMENT ON COLUMN relevance_label.label_run_id IS 'Key: who says so';
COMMENT ON COLUMN relevance_label.p IS 'Probability of relevance';
COMMENT ON COLUMN relevance_label.label IS 'Relevant';
COMMENT ON COLUMN relevance_label.abstain IS 'The model does not know this language or is not sure';
COMMENT ON COLUMN relevance_label.input_hash IS 'SHA-256 of what the model read';
COMMENT ON COLUMN relevance_label.load_id IS 'The load that wrote the row last';

CREATE TABLE topic_label (
    document_id VARCHAR,
    label_run_id VARCHAR,
    topic VARCHAR,
    p DOUBLE,
    label BOOLEAN,
    load_id VARCHAR
);
COMMENT ON TABLE topic_label IS 'Does the document treat a topic; never overwritten';
COMMENT ON COLUMN topic_label.document_id IS 'Key: the document';
COMMENT ON COLUMN topic_label.label_run_id IS 'Key: who says so';
COMMENT ON COLUMN topic_label.topic IS 'Key: topic of the codebook';
COMMENT ON COLUMN topic_label.p IS 'Probability';
COMMENT ON COLUMN topic_label.label IS 'Treated';
COMMENT ON COLUMN topic_label.load_id IS 'The load that wrote the row last';

CREATE TABLE stance_label (
    document_id VARCHAR,
    label_run_id VARCHAR,
    target VARCHAR,
    addressed BOOLEAN,
    p_favor DOUBLE,
    p_against DOUBLE,
    p_neutral DOUBLE,
    label VARCHAR,
    abstain BOOLEAN,
    load_id VARCHAR
);
COMMENT ON TABLE stance_label IS 'Position of a document toward a target; never overwritten';
COMMENT ON COLUMN stance_label.document_id IS 'Key: the document';
COMMENT ON COLUMN stance_label.label_run_id IS 'Key: who says so';
COMMENT ON COLUMN stance_label.target IS 'Key: target of the codebook';
COMMENT ON COLUMN stance_label.addressed IS 'The document takes the target up';
COMMENT ON COLUMN stance_label.p_favor IS 'Probability that it favors the proposition';
COMMENT ON COLUMN stance_label.p_against IS 'Probability that it opposes it';
COMMENT ON COLUMN stance_label.p_neutral IS 'Probability of neither';
COMMENT ON COLUMN stance_label.label IS 'favor, against or neutral: the likeliest, also under abstain';
COMMENT ON COLUMN stance_label.abstain IS 'Not sure enough to be counted';
COMMENT ON COLUMN stance_label.load_id IS 'The load that wrote the row last';

CREATE TABLE evidence (
    document_id VARCHAR,
    label_run_id VARCHAR,
    target VARCHAR,
    rank INTEGER,
    sentence_start INTEGER,
    sentence_end INTEGER,
    text VARCHAR,
    load_id VARCHAR
);
COMMENT ON TABLE evidence IS 'A sentence that carries a position';
COMMENT ON COLUMN evidence.document_id IS 'Key: the document';
COMMENT ON COLUMN evidence.label_run_id IS 'Key: who says so';
COMMENT ON COLUMN evidence.target IS 'Key: target of the codebook';
COMMENT ON COLUMN evidence.rank IS 'Key: the strongest sentence first';
COMMENT ON COLUMN evidence.sentence_start IS 'Code points of the text before the sentence';
COMMENT ON COLUMN evidence.sentence_end IS 'Code points of the text up to its end';
COMMENT ON COLUMN evidence.text IS 'The sentence: exactly that part of the text';
COMMENT ON COLUMN evidence.load_id IS 'The load that wrote the row last';

CREATE TABLE rejection (
    entry_id VARCHAR,
    run_id VARCHAR,
    url VARCHAR,
    stage VARCHAR,
    reason VARCHAR,
    detail VARCHAR,
    rejected_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE rejection IS 'Why an item did not become a document';
COMMENT ON COLUMN rejection.entry_id IS 'Key: the entry; NULL where a feed itself was refused';
COMMENT ON COLUMN rejection.run_id IS 'The pass';
COMMENT ON COLUMN rejection.url IS 'What was tried';
COMMENT ON COLUMN rejection.stage IS 'poll, fetch, extract or label';
COMMENT ON COLUMN rejection.reason IS 'Short stable word';
COMMENT ON COLUMN rejection.detail IS 'For people';
COMMENT ON COLUMN rejection.rejected_at IS 'When';
COMMENT ON COLUMN rejection.load_id IS 'The load that wrote the row last';

CREATE TABLE outlet_day (
    outlet_id VARCHAR,
    day DATE,
    n_seen INTEGER,
    polls INTEGER,
    failed_polls INTEGER,
    complete BOOLEAN,
    computed_at TIMESTAMPTZ,
    load_id VARCHAR
);
COMMENT ON TABLE outlet_day IS 'What was seen of an outlet on a day (UTC). Append-only: each load that changes a day adds a version, the view current_outlet_day takes the newest';
COMMENT ON COLUMN outlet_day.outlet_id IS 'Key: the outlet';
COMMENT ON COLUMN outlet_day.day IS 'Key: the day, UTC';
COMMENT ON COLUMN outlet_day.n_seen IS 'Entries of the outlet, relevant or not, by the day of publication in the feed, else on the page, else by the day first seen';
COMMENT ON COLUMN outlet_day.polls IS 'Polls of its feeds on that day';
COMMENT ON COLUMN outlet_day.failed_polls IS 'Of these, failed ones';
COMMENT ON COLUMN outlet_day.complete IS 'The day is over, and each enabled feed of the outlet (from the day of its first poll on; a feed never polled counts as missing) had at least one successful poll on that day, its last poll of that day among them';
COMMENT ON COLUMN outlet_day.computed_at IS 'When this version was counted';
COMMENT ON COLUMN outlet_day.load_id IS 'The load that wrote this version';

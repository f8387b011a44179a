-- Retention. A time that is NULL takes nothing away. Labels, evidence and counts stay; removal says what went.
CREATE TEMP TABLE old_text AS
SELECT document_id FROM document_text JOIN document USING (document_id) WHERE coalesce(fetched_at, first_seen_at) < $texts_before;

CREATE TEMP TABLE old_revision AS
SELECT document_id, text_revision, load_id FROM document_revision WHERE fetched_at < $texts_before AND text IS NOT NULL;

CREATE TEMP TABLE old_poll AS
SELECT poll_id FROM poll WHERE polled_at < $polls_before AND coalesce(etag, last_modified, body_hash, error) IS NOT NULL;

CREATE TEMP TABLE old_load AS SELECT load_id FROM load WHERE loaded_at < $polls_before;

INSERT INTO removal BY NAME
SELECT *, 'retention' AS reason, $now AS removed_at, $load_id AS load_id
FROM (
    SELECT 'document_text' AS record, $texts_before AS before_at, count(*) AS n FROM old_text
    UNION ALL SELECT 'document_revision', $texts_before, count(*) FROM old_revision
    UNION ALL SELECT 'poll', $polls_before, count(*) FROM old_poll
    UNION ALL SELECT 'past_row', $polls_before, count(*) FROM past_row SEMI JOIN old_load USING (load_id)
        WHERE record IN ('feed', 'feed_schedule', 'host')
    UNION ALL SELECT 'warc', $warc_before, $warc_files
)
WHERE n > 0;

DELETE FROM document_text WHERE document_id IN (SELECT document_id FROM old_text);

-- The row of an earlier revision stays too: labels belong to it.
UPDATE document_revision SET text = NULL
WHERE (document_id, text_revision) IN (SELECT (document_id, text_revision) FROM old_revision);

DELETE FROM past_row WHERE record = 'document_text'
    AND ((content ->> 'document_id'), load_id) IN (SELECT (document_id, load_id) FROM old_revision);

-- The row of a poll stays, as outcomes and the days of the outlets are counted from it.
UPDATE poll SET etag = NULL, last_modified = NULL, body_hash = NULL, error = NULL WHERE poll_id IN (SELECT poll_id FROM old_poll);

-- Feeds and hosts change with each poll, so most earlier versions are theirs.
DELETE FROM past_row WHERE record IN ('feed', 'feed_schedule', 'host') AND load_id IN (SELECT load_id FROM old_load);

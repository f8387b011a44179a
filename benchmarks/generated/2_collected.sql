-- What collection stored: outlets, feeds, polls, entries with their earlier versions, documents, texts, stories, days.
INSERT INTO outlet BY NAME
SELECT outlet_id, name, country, bloc, language, ownership, kind, '20000101T000000000000-feeds' AS load_id FROM publisher;

INSERT INTO feed BY NAME
SELECT 'feed-' || n AS feed_id, outlet_id, 'https://news' || n || '.example/feed.xml' AS url, language, kind, true AS enabled,
    md5('etag' || n) AS etag, sha256('body' || n) AS body_hash, CASE WHEN n % 40 = 7 THEN 3 ELSE 0 END AS failures,
    '20000101T000000000000-feeds' AS load_id
FROM publisher;

INSERT INTO poll BY NAME -- what retention takes is gone from those that are older than a year
WITH fresh AS (
    SELECT outlet, pass, count(*) AS n FROM made GROUP BY ALL
),
asked AS (
    SELECT pass.*, publisher.n AS outlet, dice(pass * 1000 + publisher.n, 40) < 0.02 AS failed, pass > getvariable('days') * 6 - 2190 AND NOT failed AS kept
    FROM pass, publisher
)
SELECT id_of('poll', pass * 100000 + outlet) AS poll_id, run_id, 'feed-' || outlet AS feed_id, began_at + to_seconds(10 + outlet) AS polled_at,
    if(failed, 503, 200) AS status, if(failed, 'error', 'ok') AS outcome, if(failed, 'answer 503', NULL) AS error,
    if(failed, 0, 20 + coalesce(fresh.n, 0)) AS offered, if(failed, 0, coalesce(fresh.n, 0)) AS fresh, if(failed, 0, 20) AS duplicate,
    if(kept, md5(concat('etag', pass, outlet)), NULL) AS etag, if(kept, sha256(concat('body', pass, outlet)), NULL) AS body_hash,
    began_at + INTERVAL 4 HOUR AS next_poll_at, CAST(failed AS INTEGER) AS failures, poll_load_id AS load_id
FROM asked LEFT JOIN fresh USING (outlet, pass)
ORDER BY pass, outlet;

-- What became documents, and one in twelve that did not.
CREATE TEMP TABLE ledger AS
SELECT i, entry_id, 'feed-' || outlet AS feed_id, publisher.outlet_id,
    concat('https://news', outlet, '.example/', strftime(happened_at, '%Y/%m/%d'), '/', left(md5(concat(r)), 12), '-', phrase.latin[1:30]) AS url,
    CASE WHEN publisher.language IN ('zh', 'ja') THEN phrase.han[1:24] ELSE phrase.latin[1:70] END AS title,
    CASE WHEN dice(r, 41) < 0.75 THEN happened_at WHEN dice(r, 41) < 0.9 THEN date_trunc('day', happened_at) END AS published_at,
    i % 30 AS position, seen_at AS first_seen_at, 'loaded' AS outcome, 1 AS attempts, document_id, run_id, load_id, poll_load_id, NULL AS reason
FROM made JOIN publisher ON publisher.n = made.outlet JOIN (SELECT pass, run_id FROM pass) AS pass USING (pass) JOIN phrase ON phrase.p = lot(r, 42, getvariable('phrases'))
UNION ALL
SELECT i, id_of('other', r), 'feed-' || outlet, publisher.outlet_id, concat('https://news', outlet, '.example/other/', r), 'Not an article', happened_at, i % 30,
    seen_at, CASE WHEN i % 24 = 0 THEN 'rejected' WHEN i > getvariable('documents') * 0.95 AND i % 24 = 12 THEN 'pending' ELSE 'duplicate' END AS outcome, 1,
    CASE WHEN i % 24 = 12 THEN document_id END, run_id, load_id, poll_load_id, CASE WHEN i % 24 = 0 THEN ['not_found', 'robots', 'no_article'][1 + i // 24 % 3] END
FROM made JOIN publisher ON publisher.n = made.outlet JOIN (SELECT pass, run_id FROM pass) AS pass USING (pass) WHERE i % 12 = 0;

INSERT INTO entry BY NAME SELECT * EXCLUDE (i, poll_load_id) FROM ledger ORDER BY i;

INSERT INTO rejection BY NAME
SELECT entry_id, run_id, url, 'extract' AS stage, reason, 'as generated' AS detail, first_seen_at AS rejected_at, load_id
FROM ledger WHERE outcome = 'rejected' ORDER BY i;

CREATE TEMP TABLE before AS
SELECT entry.* REPLACE ('pending' AS outcome, NULL AS document_id, NULL AS reason, 0 AS attempts, poll_load_id AS load_id)
FROM entry JOIN (SELECT i, entry_id, poll_load_id FROM ledger) AS known USING (entry_id) ORDER BY i;

INSERT INTO past_row BY NAME
SELECT 'entry' AS record, to_json(before) AS content, before.load_id AS written_by, entry.load_id AS load_id
FROM before JOIN entry USING (entry_id) ORDER BY entry.load_id;

DROP TABLE before;

CREATE TEMP TABLE page AS
SELECT made.*, ledger.url, ledger.title, publisher.outlet_id, CASE WHEN k > 0 AND dice(r, 43) < 0.06 THEN 'en' ELSE language END AS lang, published_at IS NULL AS undated,
    lot(s * 400 + k % 3, 45, getvariable('phrases')) AS start
FROM made JOIN ledger USING (entry_id) JOIN publisher ON publisher.n = made.outlet;

CREATE TEMP TABLE written AS SELECT page.*, passage.* EXCLUDE (start) FROM page JOIN passage ON passage.start = page.start AND is_latin = (lang NOT IN ('zh', 'ja'));

INSERT INTO document BY NAME
SELECT document_id, outlet_id, 'feed-' || outlet AS feed_id, entry_id, url, url AS canonical_url, title, ['A. Writer ' || i % 900] AS authors,
    CASE WHEN undated AND i % 3 > 0 THEN happened_at END AS published_at, CAST(happened_at AT TIME ZONE 'UTC' AS DATE) AS published_on, 'jsonld' AS date_source,
    seen_at AS first_seen_at, seen_at + INTERVAL 18 MINUTE AS fetched_at, lang, sha256(text) AS text_hash, length(text) AS text_length,
    concat('2026/pages-', i // 20000, '.warc.gz#', i % 20000 * 9731) AS warc_path, 'trafilatura 2.3.1' AS extractor, load_id, 0 AS text_revision
FROM written ORDER BY i;

INSERT INTO document_text BY NAME SELECT document_id, text, load_id FROM written ORDER BY i;

INSERT INTO sketch BY NAME
SELECT document_id, 'generated-1' AS method, [CAST(hash(s * 400 + k % 3, n, 46) >> 1 AS BIGINT) FOR n IN range(sentences * 2)] AS shingles,
    [CAST(hash(s, n, 47) >> 1 AS BIGINT) FOR n IN range(i % 9)] AS marks, story_load_id AS load_id
FROM written ORDER BY i;

INSERT INTO story BY NAME
SELECT document_id, story_id, CASE WHEN NOT is_origin THEN story_id END AS parent_id,
    CASE WHEN is_origin THEN 'origin' WHEN dice(r, 43) < 0.06 THEN 'translation' ELSE 'copy' END AS link,
    CASE WHEN NOT is_origin THEN round(0.5 + 0.5 * dice(r, 48), 3) END AS similarity, 'generated-1' AS method, seen_at + INTERVAL 30 MINUTE AS computed_at,
    story_load_id AS load_id
FROM page ORDER BY i;

INSERT INTO story BY NAME -- one in twenty was a story of its own before its origin was met
SELECT document_id, document_id AS story_id, NULL AS parent_id, 'origin' AS link, 'generated-1' AS method, seen_at + INTERVAL 25 MINUTE AS computed_at,
    load_of(seen_at + INTERVAL 1 MINUTE, 'stories') AS load_id
FROM page WHERE NOT is_origin AND dice(r, 49) < 0.05 ORDER BY i;

-- A version with each pass of the day, and a last one with the first pass of the next.
INSERT INTO outlet_day BY NAME
WITH seen AS (
    SELECT outlet, CAST(happened_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS n FROM page GROUP BY ALL
),
version AS (
    SELECT pass, getvariable('since') + CAST(pass // 6 AS INTEGER) AS day, pass % 6 + 1 AS polls, false AS over FROM pass
    UNION ALL
    SELECT pass, getvariable('since') + CAST(pass // 6 - 1 AS INTEGER), 6, true FROM pass WHERE pass % 6 = 0 AND pass > 0
),
of_outlet AS (
    SELECT version.*, began_at + INTERVAL 40 MINUTE AS computed_at, finish_load_id AS load_id, publisher.n AS outlet, outlet_id
    FROM version JOIN pass USING (pass) CROSS JOIN publisher
)
SELECT outlet_id, day, CAST(coalesce(seen.n, 0) * polls // 6 AS INTEGER) AS n_seen, polls, 0 AS failed_polls,
    over AND dice(outlet * 100000 + pass, 50) < 0.92 AS complete, computed_at, load_id
FROM of_outlet LEFT JOIN seen USING (outlet, day)
ORDER BY pass, outlet, day;

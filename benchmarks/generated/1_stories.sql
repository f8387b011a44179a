-- What happens and who reports it, as temporary tables. dice(n, salt) is uniform in [0, 1); another seed is another world.
CREATE TEMP MACRO dice(n, salt) AS (hash(n, salt, getvariable('seed')) >> 11) / 9007199254740992.0;
CREATE TEMP MACRO lot(n, salt, most) AS CAST(floor(most * dice(n, salt)) AS INTEGER);
CREATE TEMP MACRO id_of(kind, n) AS left(md5(concat(getvariable('seed'), kind, n)), 24);
CREATE TEMP MACRO load_of(moment, kind) AS strftime(moment AT TIME ZONE 'UTC', '%Y%m%dT%H%M%S%f') || '-' || kind;

CREATE TEMP TABLE place AS
SELECT row_number() OVER () - 1 AS place, * FROM (VALUES
    ('US', 'us', 'en'), ('GB', 'g7', 'en'), ('CN', 'china', 'zh'), ('DE', 'eu', 'de'), ('IN', 'brics', 'en'), ('FR', 'eu', 'fr'),
    ('JP', 'g7', 'ja'), ('ES', 'eu', 'es'), ('BR', 'brics', 'pt'), ('IT', 'eu', 'it'), ('CA', 'g7', 'en'), ('PL', 'eu', 'pl'),
    ('ZA', 'brics', 'en'), ('KE', 'global_south', 'en'), ('MX', 'global_south', 'es'), ('ID', 'global_south', 'id'),
    ('CH', 'europe', 'de'), ('NO', 'europe', 'no'), ('NG', 'global_south', 'en'), ('XX', 'international', 'en')
) AS known(country, bloc, language);

CREATE TEMP TABLE pass AS -- one every four hours
SELECT pass, began_at, 'run-' || strftime(began_at AT TIME ZONE 'UTC', '%Y%m%dT%H') AS run_id, load_of(began_at + INTERVAL 1 MINUTE, 'poll') AS poll_load_id,
    load_of(began_at + INTERVAL 40 MINUTE, 'finish') AS finish_load_id
FROM (SELECT pass, CAST(getvariable('since') AS TIMESTAMP) AT TIME ZONE 'UTC' + pass * INTERVAL 4 HOUR AS began_at
    FROM range(CAST((getvariable('days') + 6) * 6 AS BIGINT)) AS each(pass));

-- Few outlets print most: weight is the end of an outlet's part of the line from 0 to 1.
CREATE TEMP TABLE publisher AS
SELECT n, id_of('outlet', n) AS outlet_id, 'Outlet ' || n AS name, place.country, place.bloc, place.language,
    ['private', 'private', 'public', 'state', 'nonprofit', 'government'][1 + lot(n, 2, 6)] AS ownership,
    ['news', 'news', 'news', 'official', 'analysis', 'advocacy'][1 + lot(n, 3, 6)] AS kind,
    sum(pow(n + 3, -0.9)) OVER (ORDER BY n) / sum(pow(n + 3, -0.9)) OVER () AS weight
FROM range(getvariable('outlets')) AS each(n)
JOIN place ON place.place = CAST(floor(20 * pow(dice(n, 1), 1.6)) AS INTEGER);

CREATE TEMP TABLE publisher_at AS -- a thousandth of the line each, to draw from quickly
SELECT mark, (SELECT min(n) FROM publisher WHERE weight > (mark + 0.5) / 10000) AS n FROM range(10000) AS line(mark);

-- Heavy-tailed: most stories are one document, some are hundreds. Events draw a twentieth of them.
CREATE TEMP TABLE told AS
SELECT s, size, CASE WHEN dice(s, 12) < 0.05 AND date_diff('day', getvariable('since'), event) < getvariable('days') - 4 THEN date_diff('day', getvariable('since'), event) + lot(s, 13, 4)
        ELSE CAST(floor(getvariable('days') * pow(dice(s, 11), 0.8)) AS INTEGER) END AS day,
    dice(s, 14) < 0.33 AS relevant, dice(s, 15) < 0.5 AS unread, lot(s, 16, 10) AS topic, lot(s, 17, 5) AS target, dice(s, 18) AS lean
FROM (
    SELECT s, least(CAST(floor(pow(1 - dice(s, 10), -0.8)) AS INTEGER), 300) AS size FROM range(getvariable('documents')) AS each(s)
), (SELECT [DATE '2024-03-13', DATE '2024-05-21', DATE '2025-02-10', DATE '2025-07-23', DATE '2025-07-26', DATE '2026-02-16'] AS events),
LATERAL (SELECT events[1 + lot(s, 19, 6)] AS event)
QUALIFY coalesce(sum(size) OVER (ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < getvariable('documents');

CREATE TEMP TABLE report AS
SELECT s, k, s * 1000 + k AS r, told.* EXCLUDE (s, size, day), publisher_at.n AS outlet,
    CAST(getvariable('since') + CAST(day AS INTEGER) AS TIMESTAMP) AT TIME ZONE 'UTC'
        + to_seconds(CASE k WHEN 0 THEN lot(r, 21, 36000) ELSE 36000 + CAST(floor(259200 * pow(dice(r, 22), 3)) AS INTEGER) END) AS happened_at
FROM told, LATERAL (SELECT unnest(range(size)) AS k), LATERAL (SELECT s * 1000 + k AS r)
JOIN publisher_at ON mark = lot(r, 20, 10000);

-- In the order in which a collection meets them: 64 a batch, a few hours after they were published.
CREATE TEMP TABLE made AS
WITH seen AS (
    SELECT *, happened_at + to_seconds(lot(r, 23, 14400)) AS seen_at FROM report ORDER BY r LIMIT getvariable('documents')
),
numbered AS (
    SELECT *, row_number() OVER (ORDER BY seen_at, r) - 1 AS i FROM seen
)
SELECT i, s, k, r, relevant AND dice(r, 24) < 0.93 AS relevant, unread AND NOT relevant AS unread, topic, target, lean, outlet, happened_at, seen_at,
    id_of('document', r) AS document_id, id_of('entry', r) AS entry_id, id_of('document', s * 1000 + arg_min(k, (happened_at, k)) OVER (PARTITION BY s)) AS story_id,
    min(happened_at) OVER (PARTITION BY s) = happened_at AND arg_min(k, (happened_at, k)) OVER (PARTITION BY s) = k AS is_origin,
    load_of(max(seen_at) OVER (PARTITION BY i // 64) + INTERVAL 20 MINUTE, 'documents') AS load_id,
    load_of(max(seen_at) OVER (PARTITION BY i // 64) + INTERVAL 10 MINUTE, 'poll') AS poll_load_id,
    load_of(max(seen_at) OVER (PARTITION BY i // 64) + INTERVAL 30 MINUTE, 'stories') AS story_load_id,
    CAST(date_diff('hour', CAST(getvariable('since') AS TIMESTAMP), seen_at AT TIME ZONE 'UTC') // 4 AS INTEGER) AS pass
FROM numbered;

-- Sentences of invented words, of which few are frequent; and of Chinese characters. Some words belong to a side.
CREATE TEMP TABLE word AS
SELECT w, list_reduce([
    ['ba', 'ko', 'li', 'men', 'ra', 'tos', 'ni', 'vel', 'du', 'ser', 'pa', 'gim'][1 + lot(w * 10 + part, 30, 12)] FOR part IN range(2 + w % 3)
], (a, b) -> a || b) AS latin, chr(19968 + lot(w, 31, 6000)) || chr(19968 + lot(w, 32, 6000)) AS han
FROM range(6000) AS each(w);

CREATE TEMP TABLE phrase AS
SELECT p, upper(latin[1]) || latin[2:] || '.' AS latin, han || '。' AS han FROM (
    SELECT p, string_agg(CASE WHEN side = 0 THEN word.latin ELSE 'pro' || word.latin END, ' ' ORDER BY n) AS latin,
        string_agg(word.han, '' ORDER BY n) AS han
    FROM (SELECT p, n, CAST(p % 10 = 9 AND n % 4 = 0 AS INTEGER) AS side, CAST(floor(6000 * pow(dice(p * 100 + n, 33), 2.5)) AS INTEGER) AS w
        FROM range(getvariable('phrases')) AS each(p), LATERAL (SELECT unnest(range(12 + lot(p, 34, 14))) AS n))
    JOIN word USING (w) GROUP BY p
);

-- Texts: a window of the sentences each, and its first three sentences with their places.
CREATE TEMP TABLE passage AS
WITH line AS (
    SELECT p AS start, true AS is_latin, latin AS sentence, 1 AS gap FROM phrase UNION ALL SELECT p, false, han, 0 FROM phrase
),
joined AS (
    SELECT first.start, is_latin, any_value(gap) AS gap, count(*) AS sentences, rtrim(string_agg(line.sentence || repeat(' ', line.gap), '' ORDER BY line.start)) AS text,
        list(line.sentence ORDER BY line.start)[:3] AS sentence
    FROM (SELECT p AS start, unnest(range(p, p + 8 + lot(p, 35, 12))) AS following FROM phrase) AS first JOIN line ON line.start = following
    GROUP BY ALL
)
SELECT start, is_latin, sentences, text, sentence, [0, length(sentence[1]) + gap, length(sentence[1]) + length(sentence[2]) + 2 * gap] AS begins FROM joined;

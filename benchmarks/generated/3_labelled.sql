-- What the model and people said: a run over all documents, a newer one over the last tenth, and a sample coded by two people.
INSERT INTO label_run BY NAME
SELECT id_of('label_run', n) AS label_run_id, 'generated' AS model_id, md5(concat(n)) AS revision, '1' AS codebook_version, md5('codebook') AS codebook_hash,
    '1' AS code_version, TIMESTAMPTZ '2023-01-01 00:00:00+00' + n * INTERVAL 1000 DAY AS created_at, '20000101T000000000000-feeds' AS load_id
FROM range(2) AS each(n);

DROP TABLE ledger;
DROP TABLE report;

CREATE TEMP TABLE said AS
SELECT i, r, document_id, relevant, unread, topic, target, lean, load_id, bloc, start, is_latin, sentences, id_of('label_run', run) AS label_run_id, run
FROM (
    SELECT * EXCLUDE (text, sentence, begins), 0 AS run FROM written
    UNION ALL
    SELECT * EXCLUDE (text, sentence, begins) REPLACE (load_of(TIMESTAMPTZ '2026-11-20 00:00:00+00' + to_seconds(i // 64), 'documents') AS load_id,
        relevant AND dice(r, 60) < 0.98 AS relevant), 1 FROM written WHERE i >= getvariable('documents') * 0.9
) AS labelled JOIN publisher ON publisher.n = labelled.outlet;

DROP TABLE written;

INSERT INTO relevance_label BY NAME
SELECT document_id, label_run_id, CASE WHEN unread THEN 0 ELSE round(0.5 * CAST(relevant AS INTEGER) + 0.499 * dice(r, 61), 6) END AS p, relevant AS label,
    dice(r, 62) < 0.02 AS abstain, md5(document_id) || md5(document_id || 'x') AS input_hash, load_id, 0 AS text_revision
FROM said ORDER BY load_id, i;

INSERT INTO topic_label BY NAME
SELECT document_id, label_run_id, name AS topic, CASE WHEN unread THEN 0 ELSE round(p, 6) END AS p, relevant AND p >= 0.6 AS label, load_id, 0 AS text_revision
FROM said, (SELECT unnest(getvariable('topics')) AS name, unnest(range(len(getvariable('topics')))) AS n) AS listed,
    LATERAL (SELECT CASE WHEN listed.n = said.topic THEN 0.5 + 0.5 * dice(r, 70 + listed.n) ELSE 0.7 * dice(r, 70 + listed.n) END AS p) AS drawn
ORDER BY load_id, i, n;

CREATE TEMP TABLE position AS
SELECT said.*, name, n, relevant AND (n = said.target OR dice(r, 90 + n) < 0.15) AS addressed,
    round(CASE WHEN unread THEN 0 ELSE (0.1 + 0.8 * greatest(least(0.5 * lean + 0.3 * sin(hash(bloc, name) % 7) + 0.5 * dice(r, 100 + n), 1), 0)) END, 6) AS p_favor,
    round(CASE WHEN unread THEN 1 ELSE 0.1 * dice(r, 110 + n + run) END, 6) AS p_neutral
FROM said, (SELECT unnest(getvariable('targets')) AS name, unnest(range(len(getvariable('targets')))) AS n) AS listed;

INSERT INTO stance_label BY NAME
SELECT document_id, label_run_id, name AS target, addressed, p_favor, round(greatest(1 - p_favor - p_neutral, 0), 6) AS p_against, p_neutral,
    CASE WHEN NOT addressed THEN 'neutral' WHEN p_favor > 0.5 THEN 'favor' ELSE 'against' END AS label, dice(r, 120 + n) < 0.08 AS abstain, load_id, 0 AS text_revision
FROM position ORDER BY load_id, i, n;

-- Evidence is the first sentences of the text.
INSERT INTO evidence BY NAME
SELECT document_id, label_run_id, name AS target, rank, CAST(begins[rank] AS INTEGER) AS sentence_start,
    CAST(begins[rank] + length(sentence[rank]) AS INTEGER) AS sentence_end, sentence[rank] AS text, load_id,
    ['own', 'own', 'quoted', 'reported'][1 + lot(r, 140 + rank, 4)] AS voice,
    CASE WHEN lot(r, 140 + rank, 4) > 1 THEN 'Speaker ' || CAST(floor(400 * pow(dice(r, 150 + rank), 2)) AS INTEGER) END AS speaker, 0 AS text_revision
FROM (SELECT *, unnest(range(1, 2 + lot(r, 130 + n, 3))) AS rank FROM position WHERE addressed) AS chosen
JOIN (SELECT start, is_latin, sentence, begins FROM passage) AS opening USING (start, is_latin) WHERE sentences >= rank
ORDER BY load_id, i, n, rank;

INSERT INTO human_label BY NAME
SELECT document_id, coder, 'stance' AS kind, name AS target,
    CASE WHEN dice(r, 160 + coder_number) < 0.8 AND addressed THEN CASE WHEN p_favor > 0.5 THEN 'favor' ELSE 'against' END ELSE 'neutral' END AS label, '1' AS codebook_version,
    TIMESTAMPTZ '2026-11-01 00:00:00+00' + to_seconds(i) AS coded_at, 2.0 AS weight, '20261110T000000000000-human' AS load_id
FROM position, (VALUES ('anna', 0), ('ben', 1)) AS person(coder, coder_number)
WHERE run = 0 AND relevant AND dice(i, 161) < 6000.0 / getvariable('documents') ORDER BY i, n;

INSERT INTO run BY NAME
SELECT run_id, first_poll_at AS started_at, first_poll_at + INTERVAL 1 HOUR AS finished_at, offered, loaded, duplicate, rejected, pending,
    load_of(first_poll_at + INTERVAL 1 HOUR, 'finish') AS load_id
FROM outcome_by_run ORDER BY run_id;

-- Every load that a row names, in the order of the ids.
INSERT INTO load BY NAME
SELECT load_id, any_value(run_id) AS run_id, split_part(load_id, '-', 2) AS kind, min(made_at) AS created_at, min(made_at) + INTERVAL 1 SECOND AS loaded_at, '1' AS code_version
FROM (
    SELECT load_id, run_id, rtrim(run_id) IS NOT NULL AS known FROM (
        SELECT DISTINCT load_id, run_id FROM entry UNION SELECT DISTINCT load_id, run_id FROM poll UNION SELECT DISTINCT load_id, run_id FROM run
        UNION SELECT DISTINCT written_by, NULL FROM past_row UNION SELECT DISTINCT load_id, NULL FROM story UNION SELECT DISTINCT load_id, NULL FROM outlet_day
        UNION SELECT DISTINCT load_id, NULL FROM relevance_label UNION SELECT DISTINCT load_id, NULL FROM human_label UNION SELECT DISTINCT load_id, NULL FROM outlet)
), LATERAL (SELECT strptime(left(load_id, 21), '%Y%m%dT%H%M%S%f') AT TIME ZONE 'UTC' AS made_at)
GROUP BY load_id ORDER BY load_id;

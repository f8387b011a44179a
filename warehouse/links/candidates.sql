-- For each of these documents the earlier ones that may be its source: two shingles of the sketches in common, or, in another
-- language, one mark. Of the holders of a shingle or mark only the first four of each day are looked at, and of the candidates
-- the 30 that have most in common. The source is among them, and so the work grows with the number of documents, however many
-- carry the same line.
WITH asked AS MATERIALIZED (
    SELECT document_id, day, (day, coalesce(moment, TIMESTAMPTZ '9999-12-31 00:00:00+00'), document_id) AS place,
        split_part(lang, '-', 1) AS lang, shingles, marks
    FROM sketch JOIN document_time USING (document_id) JOIN document USING (document_id)
    WHERE method = $method AND document_id IN (SELECT unnest(string_split($ids, chr(10))))
),
wanted AS MATERIALIZED (
    SELECT document_id, day, place, lang, unnest(shingles) AS mark, 1 AS points FROM asked
    UNION ALL
    SELECT document_id, day, place, lang, unnest(marks), 2 FROM asked
),
around AS MATERIALIZED (
    SELECT document_id, day, (day, coalesce(moment, TIMESTAMPTZ '9999-12-31 00:00:00+00'), document_id) AS place,
        split_part(lang, '-', 1) AS lang, shingles, marks
    FROM sketch JOIN document_time USING (document_id) JOIN document USING (document_id)
    WHERE method = $method AND day BETWEEN (SELECT min(day) FROM asked) - CAST($window AS INTEGER) AND (SELECT max(day) FROM asked)
),
marked AS (
    SELECT document_id, day, place, lang, unnest(shingles) AS mark, 1 AS points FROM around
    UNION ALL
    SELECT document_id, day, place, lang, unnest(marks), 2 FROM around
),
held AS (
    SELECT * FROM marked SEMI JOIN wanted USING (mark, points)
    QUALIFY row_number() OVER (PARTITION BY mark, points, day ORDER BY place) <= 4
),
shared AS (
    SELECT wanted.document_id, held.document_id AS source_id, held.place, sum(wanted.points) AS points
    FROM wanted JOIN held USING (mark, points)
    WHERE held.place < wanted.place AND held.day >= wanted.day - CAST($window AS INTEGER)
        AND (points = 1 OR held.lang <> wanted.lang)
    GROUP BY wanted.document_id, held.document_id, held.place HAVING sum(wanted.points) >= 2
)
SELECT document_id, source_id FROM shared
QUALIFY row_number() OVER (PARTITION BY document_id ORDER BY points DESC, place) <= 30
ORDER BY document_id, place

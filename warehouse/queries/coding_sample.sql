-- help: Documents for people to code, in random order: as many of each rare label of the model as of frequent ones, with weights
-- param: size int 100 so many documents
-- param: seed int 0 another seed is another sample, the same one the same
-- param: lang text null only documents in this language
WITH known AS (
    SELECT document_id, label_run_id, text_revision, relevant FROM kept_document
    WHERE label_run_id IS NOT NULL AND ($lang IS NULL OR split_part(lang, '-', 1) = $lang)
),
trait AS (
    SELECT document_id, CASE WHEN relevant THEN 'relevant' ELSE 'irrelevant' END AS name FROM known
    UNION ALL
    SELECT document_id, target || ' ' || label FROM stance_label JOIN known USING (document_id, label_run_id, text_revision)
    WHERE label <> 'neutral'
),
ranked AS (
    SELECT name, row_number() OVER (ORDER BY count(*), name) AS place FROM trait GROUP BY name
),
stratum AS (  -- a document belongs to the rarest thing that the model says of it
    SELECT document_id, min(place) AS place, md5(concat($seed, ' ', document_id)) AS lot
    FROM trait JOIN ranked USING (name) GROUP BY document_id
),
queued AS (  -- the first of each stratum are enough
    SELECT name, size, unnest(first).document_id AS document_id, unnest(first).lot AS lot, generate_subscripts(first, 1) AS turn
    FROM (SELECT place, count(*) AS size, arg_min(struct_pack(document_id := document_id, lot := lot), lot, $size) AS first FROM stratum GROUP BY place)
    JOIN ranked USING (place)
),
drawn AS (  -- one of each stratum in turn, until there are enough: equal parts, and all of a stratum that is smaller
    SELECT *, (SELECT count(DISTINCT name) FROM queued) AS strata
    FROM queued QUALIFY row_number() OVER (ORDER BY turn, size DESC, name) <= $size
)
SELECT document_id AS id, title, text, url, lang, size / count(*) OVER (PARTITION BY name) AS weight, strata
FROM drawn JOIN document USING (document_id) JOIN document_text USING (document_id)
ORDER BY lot

-- help: Documents for people to code, in random order: as many of each rare label of the model as of frequent ones, with weights
-- param: size int 100 so many documents
-- param: seed int 0 another seed is another sample, the same one the same
-- param: lang text null only documents in this language
WITH trait AS (
    SELECT document_id, CASE WHEN label THEN 'relevant' ELSE 'irrelevant' END AS name FROM current_relevance
    UNION ALL
    SELECT document_id, target || ' ' || label FROM current_stance WHERE label <> 'neutral'
),
chosen AS (
    SELECT document_id, name FROM trait JOIN kept_document USING (document_id) WHERE $lang IS NULL OR split_part(lang, '-', 1) = $lang
),
sized AS (
    SELECT document_id, name, size FROM chosen JOIN (SELECT name, count(*) AS size FROM chosen GROUP BY name) AS counted USING (name)
),
stratum AS (  -- a document belongs to the rarest thing that the model says of it
    SELECT document_id, arg_min(name, (size, name)) AS name, md5(concat($seed, ' ', document_id)) AS lot FROM sized GROUP BY document_id
),
queued AS (  -- the first of each stratum are enough
    SELECT name, size, unnest(first).document_id AS document_id, unnest(first).lot AS lot, generate_subscripts(first, 1) AS turn
    FROM (SELECT name, count(*) AS size, arg_min(struct_pack(document_id := document_id, lot := lot), lot, $size) AS first FROM stratum GROUP BY name)
),
drawn AS (  -- one of each stratum in turn, until there are enough: equal parts, and all of a stratum that is smaller
    SELECT *, (SELECT count(DISTINCT name) FROM queued) AS strata
    FROM queued QUALIFY row_number() OVER (ORDER BY turn, size DESC, name) <= $size
)
SELECT document_id AS id, title, text, url, lang, size / count(*) OVER (PARTITION BY name) AS weight, strata
FROM drawn JOIN document USING (document_id) JOIN document_text USING (document_id)
ORDER BY lot

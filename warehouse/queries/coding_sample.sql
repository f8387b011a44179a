-- help: Documents for people to code, in random order: as many of each rare label of the model as of frequent ones, with weights
-- param: size int 100 so many documents
-- param: seed int 0 another seed is another sample, the same one the same
-- param: lang text null only documents in this language
WITH trait AS (
    SELECT document_id, CASE WHEN label THEN 'relevant' ELSE 'irrelevant' END AS name FROM current_relevance
    UNION ALL
    SELECT document_id, target || ' ' || label FROM current_stance WHERE label <> 'neutral'
),
sized AS (
    SELECT document_id, name, count(*) OVER (PARTITION BY name) AS size
    FROM trait JOIN document USING (document_id)
    WHERE $lang IS NULL OR split_part(lang, '-', 1) = $lang
),
stratum AS (  -- a document belongs to the rarest thing that the model says of it
    SELECT document_id, arg_min(name, (size, name)) AS name, md5(concat($seed, ' ', document_id)) AS lot FROM sized GROUP BY document_id
),
queued AS (
    SELECT *, count(*) OVER (PARTITION BY name) AS size, row_number() OVER (PARTITION BY name ORDER BY lot) AS turn FROM stratum
),
drawn AS (  -- one of each stratum in turn, until there are enough: equal parts, and all of a stratum that is smaller
    SELECT *, (SELECT count(DISTINCT name) FROM stratum) AS strata
    FROM queued QUALIFY row_number() OVER (ORDER BY turn, size DESC, name) <= $size
)
SELECT document_id AS id, title, text, url, lang, size / count(*) OVER (PARTITION BY name) AS weight, strata
FROM drawn JOIN document USING (document_id) JOIN document_text USING (document_id)
ORDER BY lot

-- Coverage by language: enabled feeds, documents of the period, and on how many of them the model abstains from saying whether they are relevant.
WITH source AS (
    SELECT split_part(language, '-', 1) AS lang, count(*) AS feeds FROM feed WHERE enabled GROUP BY lang
),
stored AS (
    SELECT coalesce(split_part(lang, '-', 1), '?') AS lang, count(*) AS documents, count(*) FILTER (relevant AND NOT abstain) AS relevant,
        count(*) FILTER (abstain) AS abstained
    FROM document_current WHERE day BETWEEN $since AND $until GROUP BY ALL
)
SELECT lang, coalesce(feeds, 0) AS feeds, coalesce(documents, 0) AS documents, coalesce(relevant, 0) AS relevant,
    coalesce(abstained, 0) AS abstained
FROM source FULL JOIN stored USING (lang) ORDER BY documents DESC, feeds DESC, lang

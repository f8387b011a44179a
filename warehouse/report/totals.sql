-- How much is behind the report.
SELECT count(*) AS documents, count(*) FILTER (relevant AND NOT abstain) AS relevant, count(DISTINCT outlet_id) AS outlets,
    count(DISTINCT country) AS countries, count(DISTINCT split_part(lang, '-', 1)) AS languages
FROM document_current WHERE day BETWEEN $since AND $until

-- Relevant documents by bloc, and by country within the bloc (NULL: the whole bloc), beside what was stored and how many outlets wrote.
WITH counted AS (
    SELECT bloc, country, count(*) AS documents, count(*) FILTER (relevant AND NOT abstain) AS relevant,
        count(DISTINCT outlet_id) AS outlets
    FROM document_current WHERE day BETWEEN $since AND $until
    GROUP BY GROUPING SETS ((bloc), (bloc, country))
)
SELECT bloc, country, documents, relevant, outlets, round(relevant / documents, 4) AS share
FROM counted WHERE relevant > 0
ORDER BY max(relevant) OVER (PARTITION BY bloc) DESC, bloc, country IS NOT NULL, relevant DESC, country

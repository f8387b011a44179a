-- Net stance of the whole period by target and bloc, and by country within the bloc (NULL: the whole bloc), one vote a story and country: the
-- mean of its documents, for the outlet that had it first. The interval takes outlets, not votes, as independent (cluster-robust variance,
-- t distribution of outlets - 1). Under $least votes, or five outlets, there is n alone.
WITH vote AS (
    SELECT target, bloc, country, count(*) AS documents, avg(net) AS net, arg_min(outlet_id, (day, document_id)) AS outlet_id
    FROM excerpt WHERE inside AND target IS NOT NULL GROUP BY target, bloc, country, story_id
),
by_outlet AS (
    SELECT target, bloc, country, outlet_id, count(*) AS n, sum(net) AS total, sum(documents) AS documents FROM vote GROUP BY ALL
),
cell AS (
    SELECT target, bloc, NULL AS country, outlet_id, n, total, documents FROM by_outlet
    UNION ALL SELECT target, bloc, country, outlet_id, n, total, documents FROM by_outlet
),
mean AS (
    SELECT target, bloc, country, CAST(sum(n) AS BIGINT) AS n, CAST(sum(documents) AS BIGINT) AS documents, count(DISTINCT outlet_id) AS outlets,
        sum(total) / sum(n) AS net
    FROM cell GROUP BY ALL
),
spread AS (
    SELECT cell.target, cell.bloc, cell.country, sqrt(sum((total - cell.n * mean.net) ** 2) * outlets / (outlets - 1)) / mean.n AS error
    FROM cell JOIN mean ON cell.target = mean.target AND cell.bloc = mean.bloc AND cell.country IS NOT DISTINCT FROM mean.country
    WHERE outlets >= 5 GROUP BY cell.target, cell.bloc, cell.country, outlets, mean.n
),
bounded AS (
    SELECT mean.*, error * t AS margin, error IS NOT NULL AND n >= $least AS enough
    FROM mean LEFT JOIN spread
        ON mean.target = spread.target AND mean.bloc = spread.bloc AND mean.country IS NOT DISTINCT FROM spread.country
    LEFT JOIN student_t ON df = least(outlets - 1, 200)
)
SELECT target, bloc, country, n, outlets, CASE WHEN enough THEN round(net, 3) END AS net,
    CASE WHEN enough THEN round(net - margin, 3) END AS low, CASE WHEN enough THEN round(net + margin, 3) END AS high, documents
FROM bounded ORDER BY target, bloc, country IS NOT NULL, n DESC, country

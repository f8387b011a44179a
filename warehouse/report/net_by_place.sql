-- Net stance of the whole period by target and bloc, and by country within the bloc (NULL: the whole bloc). The interval takes outlets, not
-- documents, as independent (cluster-robust variance, t distribution of outlets - 1), and stays empty under five outlets. Under $least
-- documents there is n alone.
WITH by_outlet AS (
    SELECT target, bloc, country, outlet_id, count(*) AS n, sum(net) AS total FROM excerpt WHERE inside AND target IS NOT NULL GROUP BY ALL
),
cell AS (
    SELECT target, bloc, NULL AS country, outlet_id, n, total FROM by_outlet
    UNION ALL SELECT target, bloc, country, outlet_id, n, total FROM by_outlet
),
mean AS (
    SELECT target, bloc, country, CAST(sum(n) AS BIGINT) AS n, count(*) AS outlets, sum(total) / sum(n) AS net, count(*) - 1 AS df
    FROM cell GROUP BY ALL
),
spread AS (
    SELECT cell.target, cell.bloc, cell.country, sqrt(sum((total - cell.n * mean.net) ** 2) * outlets / df) / mean.n AS error
    FROM cell JOIN mean ON cell.target = mean.target AND cell.bloc = mean.bloc AND cell.country IS NOT DISTINCT FROM mean.country
    WHERE df >= 4 GROUP BY cell.target, cell.bloc, cell.country, outlets, df, mean.n
),
bounded AS (  -- quantile of t by its expansion (Abramowitz and Stegun 26.7.5), right to 0.001 from four degrees of freedom on
    SELECT mean.*, error * (1.95996 + (2.37227 + (2.8225 + (2.55585 + 1.58953 / df) / df) / df) / df) AS margin
    FROM mean LEFT JOIN spread
        ON mean.target = spread.target AND mean.bloc = spread.bloc AND mean.country IS NOT DISTINCT FROM spread.country
)
SELECT target, bloc, country, n, outlets, CASE WHEN n >= $least THEN round(net, 3) END AS net,
    CASE WHEN n >= $least THEN round(net - margin, 3) END AS low, CASE WHEN n >= $least THEN round(net + margin, 3) END AS high
FROM bounded ORDER BY target, bloc, country IS NOT NULL, n DESC, country

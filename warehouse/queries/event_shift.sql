-- help: How net stance toward each target changes around a day, by bloc and against all other blocs, with 95 % intervals by outlet
-- param: event date 2025-07-26 the day, first of the days after; the default is the opening of WAIC 2025
-- param: days int 14 so many days before it, and as many from it on
-- param: bloc text null only this bloc; it is compared with all others nevertheless
-- param: least int 5 only where each window has at least so many documents
-- param: other date 2025-07-23 another event; overlap says how many days its windows share; the default is America's AI Action Plan
-- param: complete bool true only outlets with a day that was fully seen before and one after; false takes all outlets
-- Intervals by jackknife: the shift is computed again without each outlet in turn (CV3 of MacKinnon, Nielsen and Webb, Journal of
-- Applied Econometrics 38, 2023), with the t distribution of one degree of freedom fewer than outlets in the window that has fewer.
WITH seen AS (
    SELECT outlet_id FROM current_outlet_day
    WHERE complete AND day >= $event - CAST($days AS INTEGER) AND day < $event + CAST($days AS INTEGER)
    GROUP BY outlet_id HAVING bool_or(day < $event) AND bool_or(day >= $event)
),
stance AS (
    SELECT target, document.bloc, outlet_id, p_favor - p_against AS net, day >= $event AS is_after
    FROM current_stance AS said JOIN document_current AS document USING (document_id) LEFT JOIN seen USING (outlet_id)
    WHERE addressed AND NOT said.abstain AND document.relevant AND NOT document.abstain
        AND day >= $event - CAST($days AS INTEGER) AND day < $event + CAST($days AS INTEGER)
        AND (seen.outlet_id IS NOT NULL OR NOT $complete)
),
by_outlet AS (  -- documents and sums of net stance: 0 before, 1 after
    SELECT target, bloc, outlet_id, count(*) FILTER (NOT is_after) AS n0, coalesce(sum(net) FILTER (NOT is_after), 0) AS sum0,
        count(*) FILTER (is_after) AS n1, coalesce(sum(net) FILTER (is_after), 0) AS sum1
    FROM stance GROUP BY ALL
),
side AS (  -- for each bloc of a target its own outlets, and those of all other blocs
    SELECT target, cell.bloc, by_outlet.bloc = cell.bloc AS own, n0, sum0, n1, sum1
    FROM by_outlet JOIN (SELECT DISTINCT target, bloc FROM by_outlet WHERE $bloc IS NULL OR bloc = $bloc) AS cell USING (target)
),
total AS (
    SELECT target, bloc, own, CAST(sum(n0) AS BIGINT) AS n0, sum(sum0) AS sum0, CAST(sum(n1) AS BIGINT) AS n1, sum(sum1) AS sum1,
        count(*) AS outlets, count(*) FILTER (n0 > 0) AS outlets0, count(*) FILTER (n1 > 0) AS outlets1
    FROM side GROUP BY ALL
),
measured AS (
    SELECT *, sum0 / nullif(n0, 0) AS net0, sum1 / nullif(n1, 0) AS net1, net1 - net0 AS shift, least(outlets0, outlets1) - 1 AS df
    FROM total WHERE n0 >= $least AND n1 >= $least
),
spread AS (  -- of at least five outlets in each window
    SELECT target, bloc, own, (outlets - 1) / outlets * sum(((measured.sum1 - side.sum1) / nullif(measured.n1 - side.n1, 0)
        - (measured.sum0 - side.sum0) / nullif(measured.n0 - side.n0, 0) - shift) ** 2) AS variance
    FROM side JOIN measured USING (target, bloc, own) WHERE df >= 4 GROUP BY target, bloc, own, outlets
),
estimate AS (
    SELECT measured.*, variance FROM measured LEFT JOIN spread USING (target, bloc, own)
),
pair AS (
    SELECT estimate.*, estimate.shift - others.shift AS did, estimate.variance + others.variance AS did_variance,
        least(estimate.df, others.df) AS did_df
    FROM (FROM estimate WHERE own) AS estimate LEFT JOIN (FROM estimate WHERE NOT own) AS others USING (target, bloc)
),
bounded AS (  -- quantile of t by its expansion (Abramowitz and Stegun 26.7.5), right to 0.001 from four degrees of freedom on
    SELECT *, sqrt(variance) * (1.95996 + (2.37227 + (2.8225 + (2.55585 + 1.58953 / df) / df) / df) / df) AS margin,
        sqrt(did_variance) * (1.95996 + (2.37227 + (2.8225 + (2.55585 + 1.58953 / did_df) / did_df) / did_df) / did_df) AS did_margin
    FROM pair
)
SELECT target, bloc, n0 AS n_before, outlets0 AS outlets_before, round(net0, 3) AS net_before,
    n1 AS n_after, outlets1 AS outlets_after, round(net1, 3) AS net_after,
    round(shift, 3) AS shift, round(shift - margin, 3) AS low, round(shift + margin, 3) AS high,
    round(did, 3) AS did, round(did - did_margin, 3) AS did_low, round(did + did_margin, 3) AS did_high,
    CASE WHEN abs($event - $other) BETWEEN 1 AND 2 * $days - 1
        THEN concat($other, ': ', 2 * $days - abs($event - $other), ' of ', 2 * $days, ' days') END AS overlap
FROM bounded
ORDER BY target, bloc

-- help: How net stance toward each target changes around a day, by bloc and against all other blocs, with 95 % intervals by outlet
-- param: event date 2025-07-26 the day, first of the days after; the default is the opening of WAIC 2025
-- param: days int 14 so many days before it, and as many from it on
-- param: bloc text null only this bloc; it is compared with all others nevertheless
-- param: least int 5 values only where each window has votes of at least so many outlets; below that n alone
-- param: other date 2025-07-23 an event beside those of table event; overlap says how many days its windows share; the default is America's AI Action Plan
-- param: complete bool true only days that were fully seen, of outlets that have one before and one after; false takes all days
-- One vote a story and country: the mean of its documents in the windows, on the side of the first of them, for the outlet that had it first.
-- Intervals by jackknife: the shift is computed again without each outlet in turn (CV3 of MacKinnon, Nielsen and Webb, Journal of
-- Applied Econometrics 38, 2023), with the t distribution of one degree of freedom fewer than outlets in the window that has fewer.
WITH watched AS (
    SELECT outlet_id, day, bool_or(day < $event) OVER (PARTITION BY outlet_id) AND bool_or(day >= $event) OVER (PARTITION BY outlet_id) AS both_sides
    FROM whole_day WHERE day >= $event - CAST($days AS INTEGER) AND day < $event + CAST($days AS INTEGER)
),
said AS (
    SELECT target, story_id, document.country, document.bloc, document.outlet_id, document.day, document_id, p_favor - p_against AS net,
        both_sides IS NOT NULL AS whole, coalesce(both_sides, false) OR NOT $complete AS counted
    FROM current_stance AS stance
    JOIN document_current AS document USING (document_id)
    JOIN current_story USING (document_id)
    LEFT JOIN watched ON watched.outlet_id = document.outlet_id AND watched.day = document.day
    WHERE addressed AND NOT stance.abstain AND document.relevant AND NOT document.abstain
        AND document.day >= $event - CAST($days AS INTEGER) AND document.day < $event + CAST($days AS INTEGER)
),
vote AS (  -- the side is that of the first document, also where its day does not count: a copy says what was written before
    SELECT target, story_id, country, bloc, avg(net) FILTER (counted) AS net, count(*) FILTER (counted) AS documents, min(day) >= $event AS is_after,
        arg_min(outlet_id, (day, document_id)) FILTER (counted) AS outlet_id
    FROM said GROUP BY target, story_id, country, bloc HAVING bool_or(counted)
),
by_outlet AS (  -- votes and sums of net stance: 0 before, 1 after
    SELECT target, bloc, outlet_id, count(*) FILTER (NOT is_after) AS n0, coalesce(sum(net) FILTER (NOT is_after), 0) AS sum0,
        count(*) FILTER (is_after) AS n1, coalesce(sum(net) FILTER (is_after), 0) AS sum1,
        coalesce(sum(documents) FILTER (NOT is_after), 0) AS documents0, coalesce(sum(documents) FILTER (is_after), 0) AS documents1
    FROM vote GROUP BY ALL
),
side AS (  -- for each bloc of a target its own outlets, and those of all other blocs
    SELECT cell.target, cell.bloc, by_outlet.bloc = cell.bloc AS own, n0, sum0, n1, sum1, documents0, documents1
    FROM by_outlet JOIN (SELECT DISTINCT target, bloc FROM by_outlet WHERE $bloc IS NULL OR bloc = $bloc) AS cell USING (target)
),
total AS (
    SELECT target, bloc, own, CAST(sum(n0) AS BIGINT) AS n0, sum(sum0) AS sum0, CAST(sum(n1) AS BIGINT) AS n1, sum(sum1) AS sum1,
        CAST(sum(documents0) AS BIGINT) AS documents0, CAST(sum(documents1) AS BIGINT) AS documents1,
        count(*) AS outlets, count(*) FILTER (n0 > 0) AS outlets0, count(*) FILTER (n1 > 0) AS outlets1
    FROM side GROUP BY target, bloc, own
),
measured AS (
    SELECT *, sum0 / n0 AS net0, sum1 / n1 AS net1, sum1 / n1 - sum0 / n0 AS shift, least(outlets0, outlets1) - 1 AS df
    FROM total WHERE least(outlets0, outlets1) >= greatest($least, 1)
),
spread AS (
    SELECT target, bloc, own, (outlets - 1) / outlets * sum(((measured.sum1 - side.sum1) / nullif(measured.n1 - side.n1, 0)
        - (measured.sum0 - side.sum0) / nullif(measured.n0 - side.n0, 0) - shift) ** 2) AS variance
    FROM side JOIN measured USING (target, bloc, own) WHERE df >= 4 GROUP BY target, bloc, own, outlets
),
estimate AS (
    SELECT measured.*, variance FROM measured LEFT JOIN spread USING (target, bloc, own)
),
compared AS (
    SELECT own.*, own.shift - others.shift AS did, own.variance + others.variance AS did_variance, least(own.df, others.df) AS did_df
    FROM (FROM estimate WHERE own) AS own LEFT JOIN (FROM estimate WHERE NOT own) AS others USING (target, bloc)
),
bounded AS (
    SELECT compared.*, sqrt(variance) * own_t.t AS margin, sqrt(did_variance) * did_t.t AS did_margin
    FROM compared
    LEFT JOIN student_t AS own_t ON own_t.df = least(compared.df, 200)
    LEFT JOIN student_t AS did_t ON did_t.df = least(did_df, 200)
),
seen AS (
    SELECT target, bloc, count(*) FILTER (whole) / count(*) AS whole FROM said GROUP BY ALL
),
near AS (  -- the other events whose windows share days with these
    SELECT string_agg(concat(day, ': ', 2 * $days - abs($event - day), ' of ', 2 * $days, ' days', ' (' || name || ')'), '; ' ORDER BY day, name) AS overlap
    FROM (SELECT day, name FROM event UNION ALL SELECT $other, NULL WHERE NOT EXISTS (SELECT 1 FROM event WHERE day = $other))
    WHERE abs($event - day) BETWEEN 1 AND 2 * $days - 1
),
named AS (
    SELECT string_agg(name, '; ' ORDER BY name) AS event_name FROM event WHERE day = $event
)
SELECT total.target, total.bloc, total.n0 AS n_before, total.outlets0 AS outlets_before, round(net0, 3) AS net_before,
    total.n1 AS n_after, total.outlets1 AS outlets_after, round(net1, 3) AS net_after,
    round(shift, 3) AS shift, round(shift - margin, 3) AS low, round(shift + margin, 3) AS high,
    round(did, 3) AS did, round(did - did_margin, 3) AS did_low, round(did + did_margin, 3) AS did_high, overlap,
    total.documents0 AS documents_before, total.documents1 AS documents_after, round(seen.whole, 2) AS seen_whole, event_name, note
FROM (FROM total WHERE own) AS total
LEFT JOIN bounded ON bounded.target = total.target AND bounded.bloc = total.bloc
LEFT JOIN seen ON seen.target = total.target AND seen.bloc = total.bloc
LEFT JOIN target_note ON target_note.target = total.target
CROSS JOIN near CROSS JOIN named
ORDER BY total.target, total.bloc

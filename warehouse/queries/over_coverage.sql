-- help: Outlets that cover AI governance more or less than others against their own output: shrunken lift with a 95 % interval
-- param: topic text null only documents that treat this topic
-- param: bloc text null only outlets of this bloc, compared with one another
-- param: kind text null only outlets of this kind (news, official, analysis or advocacy), compared with one another
-- param: since date null first day
-- param: least int 30 outlets with fewer items seen are left out, also of what the others are compared with
-- Gamma-Poisson empirical Bayes (Clayton and Kaldor, Biometrics 43, 1987). An outlet's relevant documents are Poisson around
-- expected * lift; the true lifts of the outlets are gamma with mean 1 and variance 1 / strength. Given its documents, the
-- lift of an outlet is gamma with shape strength + n_relevant and rate strength + expected: as if each outlet had, beside
-- its own, `strength` documents where as many were expected. Little output stays near 1, much output speaks for itself.
WITH on_topic AS (
    SELECT outlet_id, day, count(*) AS n
    FROM document_current AS document
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    WHERE relevant AND NOT abstain AND ($topic IS NULL OR treated.document_id IS NOT NULL)
    GROUP BY outlet_id, day
),
counted AS (
    SELECT seen.outlet_id, seen.day, n_seen, coalesce(n, 0) AS n
    FROM current_outlet_day AS seen
    JOIN outlet USING (outlet_id)
    LEFT JOIN on_topic ON on_topic.outlet_id = seen.outlet_id AND on_topic.day = seen.day
    WHERE complete AND n_seen > 0 AND ($bloc IS NULL OR bloc = $bloc) AND ($kind IS NULL OR kind = $kind)
        AND ($since IS NULL OR seen.day >= $since)
    QUALIFY sum(n_seen) OVER (PARTITION BY seen.outlet_id) >= $least
),
usual AS (
    SELECT day, sum(n) / sum(n_seen) AS share FROM counted GROUP BY day
),
measured AS (  -- expected by the share of each of its days: an outlet that was seen in a loud week alone is no louder for it
    SELECT outlet_id, sum(n_seen) AS n_seen, sum(n) AS n_relevant, sum(n_seen * share) AS expected
    FROM counted JOIN usual USING (day) GROUP BY outlet_id
),
-- Moments, as DerSimonian and Laird (1986): by chance alone q is about `freedom`; what it has more is the variance of the lifts
-- times `weight`. It counts no less than the standard error that q has by chance, sqrt(2 freedom): else the intervals of
-- outlets that happen to differ little would have no width.
chance AS (
    SELECT count(*) - 1 AS freedom, sum((n_relevant - expected) ** 2 / expected) AS q,
        sum(expected) - sum(expected ** 2) / sum(expected) AS weight
    FROM measured WHERE expected > 0
),
posterior AS (
    SELECT measured.*, strength + n_relevant AS shape, (strength + n_relevant) / (strength + expected) AS lift
    FROM measured
    CROSS JOIN (SELECT weight / greatest(q - freedom, sqrt(2 * freedom)) AS strength FROM chance WHERE freedom > 0) AS prior
)
SELECT outlet.name AS outlet, country, bloc, kind, CAST(n_seen AS BIGINT) AS n_seen, CAST(n_relevant AS BIGINT) AS n_relevant,
    round(expected, 2) AS expected, round(n_relevant / nullif(expected, 0), 2) AS raw, round(lift, 2) AS lift,
    -- quantiles of the gamma distribution by Wilson and Hilferty (1931)
    round(lift * greatest(1 - 1 / (9 * shape) - 1.96 / (3 * sqrt(shape)), 0) ** 3, 2) AS low,
    round(lift * (1 - 1 / (9 * shape) + 1.96 / (3 * sqrt(shape))) ** 3, 2) AS high
FROM posterior JOIN outlet USING (outlet_id)
ORDER BY posterior.lift DESC, outlet, posterior.outlet_id

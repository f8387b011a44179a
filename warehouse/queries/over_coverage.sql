-- help: Outlets that cover AI governance more or less than others against their own output: shrunken lift with a 95 % interval
-- param: topic text null only documents that treat this topic
-- param: bloc text null only outlets of this bloc, compared with one another
-- param: kind text null only outlets of this kind (news, official, analysis or advocacy), compared with one another
-- param: since date null first day
-- param: least int 30 outlets with fewer items seen are left out, also of what the others are compared with
-- A story counts once an outlet and day, and what tells it again is taken off the output. An outlet's stories are Poisson around
-- expected * lift; the true lifts of the outlets are gamma with mean 1 and standard deviation tau (Clayton and Kaldor, Biometrics 43,
-- 1987). What tau is, the outlets say themselves, and not for sure: each of 80 values counts by how likely it makes their stories, none
-- being likelier before (Gelman, Bayesian Analysis 1, 2006). So few outlets, which say little of tau, have wide intervals.
WITH counted_day AS (
    SELECT outlet_id, day, n_seen
    FROM current_outlet_day JOIN outlet USING (outlet_id)
    WHERE complete AND n_seen > 0 AND ($bloc IS NULL OR bloc = $bloc) AND ($kind IS NULL OR kind = $kind) AND ($since IS NULL OR day >= $since)
    QUALIFY sum(n_seen) OVER (PARTITION BY outlet_id) >= $least
),
story AS (
    SELECT outlet_id, day, story_id, count(*) AS n,
        count(*) FILTER (relevant AND NOT abstain AND ($topic IS NULL OR treated.document_id IS NOT NULL)) AS topical
    FROM document_current AS document
    JOIN current_story USING (document_id)
    SEMI JOIN counted_day USING (outlet_id, day)
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    GROUP BY outlet_id, day, story_id
),
told AS (
    SELECT outlet_id, day, sum(topical) AS n_relevant, count(*) FILTER (topical > 0) AS stories, sum(n - 1) AS spare FROM story GROUP BY ALL
),
counted AS (
    SELECT outlet_id, day, n_seen, coalesce(n_relevant, 0) AS n_relevant, coalesce(stories, 0) AS stories, n_seen - coalesce(spare, 0) AS items
    FROM counted_day LEFT JOIN told USING (outlet_id, day)
),
usual AS (
    SELECT day, sum(stories) / sum(items) AS share FROM counted GROUP BY day
),
measured AS (  -- expected by the share of each of its days: an outlet that was seen in a loud week alone is no louder for it
    SELECT outlet_id, sum(n_seen) AS n_seen, sum(n_relevant) AS n_relevant, sum(stories) AS stories, sum(items * share) AS expected
    FROM counted JOIN usual USING (day) GROUP BY outlet_id
),
grid AS (  -- tau from 0.04 to 3.2; strength as if so many stories had been seen where as many were expected
    SELECT 1 / (0.04 * step) ** 2 AS strength FROM (SELECT unnest(range(1, 81)) AS step)
),
fit AS (  -- of the logarithm of the negative binomial likelihood what hangs on the strength
    SELECT strength, sum(lgamma(strength + stories) - lgamma(strength) + strength * ln(strength / (strength + expected)) - stories * ln(strength + expected)) AS fit
    FROM measured CROSS JOIN grid WHERE expected > 0 GROUP BY strength HAVING count(*) > 1
),
weighed AS (
    SELECT strength, exp(fit - max(fit) OVER ()) AS weight FROM fit
),
posterior AS (  -- given the strength a lift is gamma of shape strength + stories and rate strength + expected; here mean and mean square over all
    SELECT outlet_id, sum(weight * (strength + stories) / (strength + expected)) / sum(weight) AS lift,
        sum(weight * (strength + stories) * (strength + stories + 1) / (strength + expected) ** 2) / sum(weight) AS square
    FROM measured CROSS JOIN weighed GROUP BY outlet_id
),
shaped AS (
    SELECT *, lift ** 2 / (square - lift ** 2) AS shape FROM posterior
)
SELECT outlet.name AS outlet, country, bloc, kind, CAST(n_seen AS BIGINT) AS n_seen, CAST(n_relevant AS BIGINT) AS n_relevant,
    round(expected, 2) AS expected, round(stories / nullif(expected, 0), 2) AS raw, round(lift, 2) AS lift,
    -- quantiles of the gamma distribution of that mean and variance by Wilson and Hilferty (1931)
    round(lift * greatest(1 - 1 / (9 * shape) - 1.96 / (3 * sqrt(shape)), 0) ** 3, 2) AS low,
    round(lift * (1 - 1 / (9 * shape) + 1.96 / (3 * sqrt(shape))) ** 3, 2) AS high, CAST(stories AS BIGINT) AS stories
FROM shaped JOIN measured USING (outlet_id) JOIN outlet USING (outlet_id)
ORDER BY shaped.lift DESC, outlet, outlet_id

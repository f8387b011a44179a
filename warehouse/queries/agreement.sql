-- help: How well the model agrees with people, and people with one another, by target and language
-- param: target text null only this target of the codebook
-- param: codebook text null only labels given with this version of the codebook
-- param: least int 5 values only where at least so many documents are compared; below that n alone
-- The interval of the accuracy takes outlets as independent (ratio of sums over outlets, t distribution), from five of them on.
WITH coded AS (  -- each coder's stance, once under its language and once under all
    SELECT stance.document_id, target, coder, label, weight, unnest([coalesce(split_part(document.lang, '-', 1), '?'), 'all']) AS lang
    FROM current_human_stance AS stance JOIN document USING (document_id)
    WHERE ($target IS NULL OR target = $target) AND ($codebook IS NULL OR codebook_version = $codebook)
),
counted AS (
    SELECT document_id, target, lang, label, count(*) AS coders, avg(weight) AS weight FROM coded GROUP BY ALL
),
agreed AS (  -- what more than half of a document's coders say; without such a majority it is left out
    SELECT document_id, target, lang, arg_max(label, coders) AS human, coalesce(avg(weight), 1) AS weight
    FROM counted GROUP BY ALL HAVING 2 * max(coders) > sum(coders)
),
judged AS (
    SELECT agreed.*, stance.label AS model, stance.abstain, document.outlet_id, whole
    FROM agreed
    JOIN current_stance AS stance USING (document_id, target)
    JOIN document USING (document_id)
    JOIN document_time AS published USING (document_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = published.day
),
weighed AS (
    SELECT target, lang, outlet_id, whole, weight, abstain, model = human AS same, CAST(model = 'favor' AS INTEGER) AS model_favor,
        CAST(human = 'favor' AS INTEGER) AS human_favor, CAST(model = 'against' AS INTEGER) AS model_against,
        CAST(human = 'against' AS INTEGER) AS human_against
    FROM judged
),
compared AS (  -- F1 is twice the hits by what the two sides found
    SELECT target, lang, count(*) AS n, sum(weight * CAST(same AS INTEGER)) / sum(weight) AS accuracy,
        2 * sum(weight * model_favor * human_favor) / nullif(sum(weight * (model_favor + human_favor)), 0) AS f1_favor,
        2 * sum(weight * model_against * human_against) / nullif(sum(weight * (model_against + human_against)), 0) AS f1_against,
        sum(weight * CAST(abstain AS INTEGER)) / sum(weight) AS abstained, sum(weight) AS weight, count(whole) / count(*) AS seen_whole,
        count(DISTINCT outlet_id) AS clusters
    FROM weighed GROUP BY ALL
),
spread AS (
    SELECT target, lang, sqrt(sum((same - accuracy * part.weight) ** 2) * clusters / (clusters - 1)) / compared.weight AS error
    FROM (
        SELECT target, lang, outlet_id, sum(weight) AS weight, sum(weight * CAST(same AS INTEGER)) AS same FROM weighed GROUP BY ALL
    ) AS part JOIN compared USING (target, lang)
    WHERE clusters >= 5 GROUP BY target, lang, clusters, compared.weight
),
-- Krippendorff's alpha (nominal; Content Analysis, 2004, chapter 11) of two panels: the coders, and their majority with the model.
rating AS (
    SELECT 'humans' AS panel, target, lang, document_id, label FROM coded
    UNION ALL SELECT 'model', target, lang, document_id, human FROM judged
    UNION ALL SELECT 'model', target, lang, document_id, model FROM judged
),
said AS (
    SELECT panel, target, lang, document_id, label, count(*) AS k FROM rating GROUP BY ALL
),
cell AS (
    SELECT *, sum(k) OVER (PARTITION BY panel, target, lang, document_id) AS raters FROM said QUALIFY raters > 1
),
observed AS (  -- ordered pairs of ratings of one document that differ, each document's weighted by 1 / (raters - 1)
    SELECT panel, target, lang, sum(k) AS n, sum(k * (raters - k) / (raters - 1)) AS differing FROM cell GROUP BY ALL
),
expected AS (
    SELECT panel, target, lang, sum(n_label * n_label) AS same
    FROM (SELECT panel, target, lang, label, sum(k) AS n_label FROM cell GROUP BY ALL) GROUP BY ALL
),
alpha AS (
    SELECT panel, target, lang, 1 - (n - 1) * differing / nullif(n * n - same, 0) AS value
    FROM observed JOIN expected USING (panel, target, lang)
)
SELECT target, lang, n, CASE WHEN enough THEN round(accuracy, 3) END AS accuracy, CASE WHEN enough THEN round(f1_favor, 3) END AS f1_favor,
    CASE WHEN enough THEN round(f1_against, 3) END AS f1_against, CASE WHEN enough THEN round(abstained, 3) END AS abstained,
    CASE WHEN enough THEN round(human_alpha.value, 3) END AS alpha_humans, CASE WHEN enough THEN round(model_alpha.value, 3) END AS alpha_model,
    CASE WHEN enough AND error IS NOT NULL THEN round(greatest(accuracy - error * t, 0), 3) END AS accuracy_low,
    CASE WHEN enough AND error IS NOT NULL THEN round(least(accuracy + error * t, 1), 3) END AS accuracy_high, clusters AS outlets, round(seen_whole, 2) AS seen_whole
FROM (SELECT *, n >= $least AS enough FROM compared)
LEFT JOIN spread USING (target, lang)
LEFT JOIN student_t ON df = least(clusters - 1, 200)
LEFT JOIN (FROM alpha WHERE panel = 'humans') AS human_alpha USING (target, lang)
LEFT JOIN (FROM alpha WHERE panel = 'model') AS model_alpha USING (target, lang)
ORDER BY target, lang <> 'all', n DESC, lang

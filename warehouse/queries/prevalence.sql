-- help: Share of relevant documents that favor and oppose a target: as the model counts, and corrected by human labels
-- param: target text null only this target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: lang text null only documents in this language
-- param: codebook text null only human labels given with this version of the codebook
-- param: least int 30 correct only where at least so many documents are coded
-- Prediction-powered inference (Angelopoulos and others, Science 382, 2023): the model's mean over all documents minus its
-- weighted mean error over the coded ones; the variances of the two add up.
WITH side(label) AS (
    VALUES ('favor'), ('against')
),
counted AS (
    SELECT document_id, target, side.label, CAST(stance.label = side.label AND NOT stance.abstain AS INTEGER) AS model
    FROM current_stance AS stance JOIN document_current AS document USING (document_id) CROSS JOIN side
    WHERE document.relevant AND NOT document.abstain AND ($target IS NULL OR target = $target)
        AND ($bloc IS NULL OR bloc = $bloc) AND ($lang IS NULL OR split_part(lang, '-', 1) = $lang)
),
coded AS (  -- several coders of one document: the share of them who say so
    SELECT document_id, target, side.label, avg(CAST(human.label = side.label AS INTEGER)) AS human, coalesce(avg(weight), 1) AS weight
    FROM current_human_stance AS human CROSS JOIN side
    WHERE $codebook IS NULL OR codebook_version = $codebook
    GROUP BY ALL
),
judged AS (
    SELECT counted.*, weight, model - human AS error FROM counted LEFT JOIN coded USING (document_id, target, label)
),
measured AS (
    SELECT target, label, count(*) AS n, count(error) AS n_coded, avg(model) AS raw, var_samp(model) / count(*) AS raw_variance,
        sum(weight * error) / sum(weight) AS mean_error, sum(weight) AS weights
    FROM judged GROUP BY ALL
),
spread AS (
    SELECT target, label, sum((weight / weights * (error - mean_error)) ** 2) * n_coded / nullif(n_coded - 1, 0) AS error_variance
    FROM judged JOIN measured USING (target, label) GROUP BY target, label, n_coded
),
estimate AS (
    SELECT measured.*, raw - mean_error AS corrected, n_coded >= greatest($least, 2) AS enough,
        1.96 * sqrt(raw_variance) AS raw_margin, 1.96 * sqrt(raw_variance + error_variance) AS margin
    FROM measured JOIN spread USING (target, label)
)
SELECT target, label, n, n_coded, round(raw, 4) AS raw,
    round(greatest(raw - raw_margin, 0), 4) AS raw_low, round(least(raw + raw_margin, 1), 4) AS raw_high,
    CASE WHEN enough THEN round(greatest(least(corrected, 1), 0), 4) END AS corrected,
    CASE WHEN enough THEN round(greatest(least(corrected - margin, 1), 0), 4) END AS low,
    CASE WHEN enough THEN round(greatest(least(corrected + margin, 1), 0), 4) END AS high
FROM estimate
ORDER BY target, label DESC

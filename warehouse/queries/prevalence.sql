-- help: Share of stories that favor and oppose a target: as the model counts, and corrected by human labels
-- param: target text null only this target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: lang text null only documents in this language
-- param: codebook text null only human labels given with this version of the codebook
-- param: least int 30 correct only where at least so many documents are coded
-- param: cluster text outlet what counts as independent: outlet, or story
-- Prediction-powered inference (Angelopoulos and others, Science 382, 2023): the model's mean over all documents minus its weighted
-- mean error over the coded ones. A document weighs 1 by the documents of its story in its country, so that these are one vote.
-- Both means are ratios of sums over clusters; what each cluster adds to their difference is squared and summed up, so the interval
-- holds sampling, error and what the two have in common. Where hardly an error was found, three errors in n could be there unseen
-- (Hanley and Lippman-Hand, JAMA 249, 1983): no margin is less.
WITH document_at_hand AS (
    SELECT document_id, CASE WHEN $cluster = 'story' THEN story_id ELSE outlet_id END AS cluster, whole,
        story_id, country, document.bloc
    FROM document_current AS document
    JOIN current_story USING (document_id)
    LEFT JOIN whole_day USING (outlet_id, day)
    WHERE relevant AND NOT abstain AND ($bloc IS NULL OR document.bloc = $bloc) AND ($lang IS NULL OR split_part(lang, '-', 1) = $lang)
),
vote AS (
    SELECT story_id, country, bloc, 1 / count(*) AS part FROM document_at_hand GROUP BY ALL
),
placed AS (
    SELECT document_id, cluster, whole, part
    FROM document_at_hand AS document JOIN vote ON vote.story_id = document.story_id
        AND vote.country IS NOT DISTINCT FROM document.country AND vote.bloc IS NOT DISTINCT FROM document.bloc
),
counted AS (
    SELECT document_id, target, cluster, part, whole, NOT abstain AND label = 'favor' AS favor, NOT abstain AND label = 'against' AS against
    FROM current_stance JOIN placed USING (document_id)
    WHERE $target IS NULL OR target = $target
),
coded AS (  -- several coders of one document: the share of them who say so
    SELECT document_id, target, avg(CAST(label = 'favor' AS INTEGER)) AS favor, avg(CAST(label = 'against' AS INTEGER)) AS against,
        coalesce(avg(weight), 1) AS weight
    FROM current_human_stance WHERE $codebook IS NULL OR codebook_version = $codebook
    GROUP BY ALL
),
by_cluster AS (
    SELECT target, cluster, count(*) AS documents, sum(part) AS votes, count(coded.weight) AS n_coded,
        coalesce(sum(part) FILTER (whole), 0) AS whole, sum(part * coded.weight) AS weight, sum((part * coded.weight) ** 2) AS squares,
        {favor: coalesce(sum(part) FILTER (counted.favor), 0), against: coalesce(sum(part) FILTER (counted.against), 0)} AS model,
        {favor: sum(part * coded.weight * (CAST(counted.favor AS INTEGER) - coded.favor)),
            against: sum(part * coded.weight * (CAST(counted.against AS INTEGER) - coded.against))} AS error
    FROM counted LEFT JOIN coded USING (document_id, target)
    GROUP BY target, cluster
),
sided AS (
    SELECT * EXCLUDE (model, error), 'favor' AS label, model.favor AS model, error.favor AS error FROM by_cluster
    UNION ALL BY NAME
    SELECT * EXCLUDE (model, error), 'against' AS label, model.against AS model, error.against AS error FROM by_cluster
),
total AS (
    SELECT target, label, sum(documents) AS documents, sum(votes) AS votes, sum(whole) AS whole, sum(n_coded) AS n_coded,
        count(*) AS clusters, count(weight) AS coded_clusters, sum(model) / sum(votes) AS raw,
        sum(weight) AS weight, sum(error) / sum(weight) AS mean_error, sum(weight) ** 2 / sum(squares) AS effective
    FROM sided GROUP BY ALL
),
added AS (
    SELECT target, label, (sided.model - raw * sided.votes) / total.votes AS of_raw,
        coalesce((sided.error - mean_error * sided.weight) / total.weight, 0) AS of_error
    FROM sided JOIN total USING (target, label)
),
spread AS (
    SELECT target, label, sum(of_raw ** 2) AS raw_squares, sum((of_raw - of_error) ** 2) AS squares FROM added GROUP BY ALL
),
bounded AS (
    SELECT total.*, raw - mean_error AS corrected, clusters >= 5 AS enough, n_coded >= $least AND coded_clusters >= 5 AS enough_coded,
        raw_t.t * sqrt(raw_squares * clusters / (clusters - 1)) AS raw_margin,
        greatest(coded_t.t * sqrt(squares * coded_clusters / (coded_clusters - 1)), 3 / effective) AS margin
    FROM total JOIN spread USING (target, label)
    LEFT JOIN student_t AS raw_t ON raw_t.df = least(clusters - 1, 200)
    LEFT JOIN student_t AS coded_t ON coded_t.df = least(coded_clusters - 1, 200)
)
SELECT target, label, CAST(round(votes) AS BIGINT) AS n, CAST(n_coded AS BIGINT) AS n_coded, CASE WHEN enough THEN round(raw, 4) END AS raw,
    CASE WHEN enough THEN round(greatest(raw - raw_margin, 0), 4) END AS raw_low,
    CASE WHEN enough THEN round(least(raw + raw_margin, 1), 4) END AS raw_high,
    CASE WHEN enough_coded THEN round(greatest(least(corrected, 1), 0), 4) END AS corrected,
    CASE WHEN enough_coded THEN round(greatest(least(corrected - margin, 1), 0), 4) END AS low,
    CASE WHEN enough_coded THEN round(greatest(least(corrected + margin, 1), 0), 4) END AS high,
    CAST(documents AS BIGINT) AS documents, clusters, coded_clusters, round(whole / votes, 2) AS seen_whole, note
FROM bounded LEFT JOIN target_note USING (target)
ORDER BY target, label DESC

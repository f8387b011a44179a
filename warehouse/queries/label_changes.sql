-- help: What a new model or codebook changed: documents labelled by both runs, and each change from label to label
-- param: before text null label_run_id of the earlier run; the newest other run where none is given
-- param: after text null label_run_id of the later run; the newest run where none is given
-- param: target text null only this target of the codebook, or relevance
-- flip_rate is the share that changed, mean_shift the mean change of p_favor - p_against (for relevance, of its probability). Both runs read
-- the same texts, and all of them: these are counts, no sample, so they have no interval.
WITH later AS (
    SELECT label_run_id FROM label_run WHERE $after IS NULL OR label_run_id = $after
    ORDER BY created_at DESC, label_run_id DESC LIMIT 1
),
earlier AS (
    SELECT label_run_id FROM label_run
    WHERE label_run_id NOT IN (SELECT label_run_id FROM later) AND ($before IS NULL OR label_run_id = $before)
    ORDER BY created_at DESC, label_run_id DESC LIMIT 1
),
said AS (
    SELECT document_id, label_run_id, text_revision, 'relevance' AS target,
        CASE WHEN abstain THEN 'abstain' WHEN label THEN 'relevant' ELSE 'irrelevant' END AS label, p AS score
    FROM relevance_label
    UNION ALL
    SELECT document_id, label_run_id, text_revision, target, CASE WHEN abstain THEN 'abstain' ELSE label END, p_favor - p_against
    FROM stance_label
),
pair AS (
    SELECT coalesce(split_part(document.lang, '-', 1), '?') AS lang, target, old.label AS label_before, new.label AS label_after, new.score - old.score AS shift, whole
    FROM (FROM said SEMI JOIN earlier USING (label_run_id)) AS old
    JOIN (FROM said SEMI JOIN later USING (label_run_id)) AS new USING (document_id, text_revision, target)
    JOIN document USING (document_id, text_revision)
    JOIN document_time USING (document_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document_time.day
    WHERE $target IS NULL OR target = $target
),
counted AS (
    SELECT lang, target, label_before, label_after, count(*) AS n, sum(shift) AS shift, count(whole) AS whole FROM pair GROUP BY ALL
),
total AS (
    SELECT lang, target, CAST(sum(n) AS BIGINT) AS documents,
        CAST(coalesce(sum(n) FILTER (label_before = label_after), 0) AS BIGINT) AS unchanged,
        sum(shift) / sum(n) AS mean_shift, sum(whole) / sum(n) AS seen_whole
    FROM counted GROUP BY ALL
)
SELECT lang, target, documents, unchanged, label_before, label_after, coalesce(n, 0) AS changed,
    round(1 - unchanged / documents, 4) AS flip_rate, round(mean_shift, 3) AS mean_shift, round(seen_whole, 2) AS seen_whole
FROM total LEFT JOIN (FROM counted WHERE label_before <> label_after) AS change USING (lang, target)
ORDER BY target <> 'relevance', target, lang, changed DESC, label_before, label_after

-- help: Has what comes in, or what the model makes of it, shifted: the last seven days that are over against the eight weeks before
-- param: as_of date null judge the seven days that end on this one; by default those that ended yesterday
-- param: least int 50 a week of fewer documents (or labels) is not compared
-- param: floor float 0.1 no distance below this one is called a shift
WITH judged AS (
    SELECT coalesce($as_of, CAST($now AT TIME ZONE 'UTC' AS DATE) - 1) AS day
),
chosen AS (  -- week 0 is the one that is judged, 1 to 8 are those before it
    SELECT document_id, coalesce(lang, 'unknown') AS lang, relevant, abstain, p_relevant, (judged.day - document.day) // 7 AS week, whole
    FROM judged, document_current AS document
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document.day
    WHERE document.day BETWEEN judged.day - 62 AND judged.day AND p_relevant IS NOT NULL
),
stance AS (
    SELECT week, target, label, stance.abstain FROM chosen JOIN current_stance AS stance USING (document_id) WHERE relevant AND addressed
),
measured AS (
    SELECT 'language' AS measure, week, lang AS value FROM chosen
    UNION ALL SELECT 'relevance', week, CASE WHEN abstain THEN 'unsure' WHEN relevant THEN 'relevant' ELSE 'irrelevant' END FROM chosen
    UNION ALL SELECT 'confidence', week, printf('%.1f', floor(10 * least(greatest(p_relevant, 1 - p_relevant), 0.999)) / 10) FROM chosen
    UNION ALL SELECT 'topic', week, topic FROM chosen JOIN current_topic USING (document_id) WHERE relevant AND label
    UNION ALL SELECT 'stance abstention', week, CASE WHEN abstain THEN 'unsure' ELSE 'sure' END FROM stance
    UNION ALL SELECT 'stance ' || target, week, label FROM stance WHERE NOT abstain
),
by_value AS (
    SELECT measure, week, value, count(*) AS n FROM measured GROUP BY ALL
),
by_week AS (
    SELECT measure, week, sum(n) AS total FROM by_value GROUP BY ALL HAVING week = 0 OR total >= $least
),
grid AS (  -- a value that a week has not counts there as none
    SELECT by_week.measure, by_week.week, total, value, coalesce(n, 0) AS n
    FROM by_week JOIN (SELECT DISTINCT measure, value FROM by_value) USING (measure) LEFT JOIN by_value USING (measure, week, value)
),
beside AS (  -- each week beside the eight, itself left out
    SELECT measure, week, total, value, n / total AS share,
        sum(total) FILTER (week > 0) OVER same - if(week > 0, total, 0) AS rest_total,
        (sum(n) FILTER (week > 0) OVER same - if(week > 0, n, 0)) / nullif(rest_total, 0) AS rest
    FROM grid WINDOW same AS (PARTITION BY measure, value)
),
by_distance AS (  -- distance: the part of the documents that would have to change their value; by_chance: what a sample of this size brings
    SELECT measure, week, any_value(total) AS n, any_value(rest_total) AS rest_n, sum(abs(share - rest)) / 2 AS distance,
        sum(sqrt(2 / pi() * rest * (1 - rest) * (1 / total + 1 / nullif(rest_total, 0)))) / 2 AS by_chance
    FROM beside GROUP BY measure, week
),
moved AS (
    SELECT measure, string_agg(printf('%s %.0f → %.0f %%', value, 100 * rest, 100 * share), ', ' ORDER BY abs(share - rest) DESC, value) AS moved
    FROM (FROM beside WHERE week = 0 QUALIFY row_number() OVER (PARTITION BY measure ORDER BY abs(share - rest) DESC, value) <= 3)
    GROUP BY measure
),
compared AS (
    SELECT measure, max(n) FILTER (week = 0) AS n, max(rest_n) FILTER (week = 0) AS before_n, count(*) FILTER (week > 0) AS weeks,
        max(distance) FILTER (week = 0) AS distance, max(distance) FILTER (week > 0) AS usual, max(by_chance) FILTER (week = 0) AS by_chance
    FROM by_distance GROUP BY measure
)
SELECT measure, CASE WHEN coalesce(n, 0) < $least OR weeks < 4 THEN 'too few' WHEN distance > bound THEN 'shifted' ELSE 'ok' END AS status,
    round(distance, 3) AS distance, round(bound, 3) AS bound, round(usual, 3) AS usual, round(by_chance, 3) AS by_chance,
    CAST(coalesce(n, 0) AS BIGINT) AS n, CAST(coalesce(before_n, 0) AS BIGINT) AS before_n, weeks, moved,
    (SELECT round(count(whole) / count(*), 2) FROM chosen WHERE week = 0) AS seen_whole
FROM (SELECT *, greatest($floor, 1.5 * usual, 3 * by_chance) AS bound FROM compared) LEFT JOIN moved USING (measure)
ORDER BY CASE status WHEN 'shifted' THEN 0 WHEN 'ok' THEN 1 ELSE 2 END, measure

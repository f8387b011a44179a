-- help: Days on which the share of AI-governance stories bursts: far above the median of the 28 days before, by robust z
-- param: bloc text all all outlets together; the name of a bloc: its outlets; each: every bloc apart
-- param: topic text null only documents that treat this topic
-- param: since date null first day that is judged
-- param: z float 3.5 only days whose z is above this
-- param: least int 7 only days with at least so many days before them, of the 28, that were seen whole
-- param: complete bool true judge only days that were fully seen; false judges all days, always by days that were fully seen
-- param: unit text stories what is counted: stories, each once a day, or documents, each copy again
-- The interval takes outlets as independent: the share is a ratio of sums over them, a copy's part of its story going to its outlet.
WITH seen AS (
    SELECT outlet_id, day, complete, n_seen, CASE WHEN $bloc = 'each' THEN outlet.bloc ELSE $bloc END AS bloc
    FROM current_outlet_day LEFT JOIN outlet USING (outlet_id)
    WHERE n_seen > 0 AND ($bloc IN ('all', 'each') OR outlet.bloc = $bloc)
),
loaded AS (
    SELECT seen.bloc, day, outlet_id, complete, story_id, relevant AND NOT abstain AND ($topic IS NULL OR treated.document_id IS NOT NULL) AS on_topic
    FROM document_current AS document
    JOIN seen USING (outlet_id, day)
    JOIN current_story USING (document_id)
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
),
story AS (  -- what of a story was loaded on a day: of all outlets, and of those that were seen whole
    SELECT bloc, day, story_id, count(*) AS n, count(*) FILTER (on_topic) AS topical, count(*) FILTER (complete) AS n_whole,
        count(*) FILTER (on_topic AND complete) AS topical_whole
    FROM loaded GROUP BY bloc, day, story_id
),
told AS (  -- spare: documents that another one of the day tells already
    SELECT bloc, day, sum(topical) AS topical, count(*) FILTER (topical > 0) AS stories, sum(n - 1) AS spare,
        sum(topical_whole) AS topical_whole, count(*) FILTER (topical_whole > 0) AS stories_whole, sum(greatest(n_whole - 1, 0)) AS spare_whole
    FROM story GROUP BY bloc, day
),
offered AS (
    SELECT bloc, day, sum(n_seen) AS seen, coalesce(sum(n_seen) FILTER (complete), 0) AS seen_whole, count(*) AS outlets,
        count(*) FILTER (complete) AS outlets_whole
    FROM seen GROUP BY bloc, day
),
counted AS (
    SELECT bloc, day, seen_whole, coalesce(CASE WHEN $unit = 'documents' THEN topical_whole ELSE stories_whole END, 0) AS counted_whole,
        seen_whole - CASE WHEN $unit = 'documents' THEN 0 ELSE coalesce(spare_whole, 0) END AS base_whole,
        CASE WHEN $complete THEN outlets_whole ELSE outlets END AS outlets, CASE WHEN $complete THEN seen_whole ELSE seen END AS seen,
        coalesce(CASE WHEN $complete THEN topical_whole ELSE topical END, 0) AS relevant,
        coalesce(CASE WHEN $complete THEN stories_whole ELSE stories END, 0) AS stories,
        CASE WHEN $unit = 'documents' THEN relevant ELSE stories END AS counted,
        seen - CASE WHEN $unit = 'documents' THEN 0 ELSE coalesce(CASE WHEN $complete THEN spare_whole ELSE spare END, 0) END AS base,
        outlets_whole
    FROM offered LEFT JOIN told USING (bloc, day)
),
compared AS (  -- the day itself is not among the days that it is measured by: a burst would hide itself
    SELECT judged.*, judged.counted / judged.base AS share, median(usual.counted_whole / usual.base_whole) AS usual,
        mad(usual.counted_whole / usual.base_whole) AS mad, count(*) AS days_before
    FROM (FROM counted WHERE outlets > 0 AND ($since IS NULL OR day >= $since)) AS judged
    JOIN (FROM counted WHERE outlets_whole > 0) AS usual ON usual.bloc = judged.bloc AND usual.day BETWEEN judged.day - 28 AND judged.day - 1
    GROUP BY ALL HAVING count(*) >= $least
),
measured AS (  -- 1.4826 MAD is the standard deviation of normal shares. It is 0 where most days have one share, as where most have
    -- no story on the topic; so it counts no less than chance: the error of counting so many, at least one.
    SELECT *, greatest(1.4826 * mad, sqrt(greatest(base * usual * (1 - usual), 1)) / base) AS spread FROM compared
),
burst AS (
    FROM measured WHERE (share - usual) / spread > $z
),
read AS (  -- what an outlet adds to the two sums of the share: its part of each story, and what it showed beside
    SELECT bloc, day, outlet_id, sum(CASE WHEN $unit = 'documents' THEN CAST(on_topic AS INTEGER) WHEN topical > 0 THEN 1 / size ELSE 0 END) AS counted,
        count(*) - sum(CASE WHEN $unit = 'documents' THEN 1 ELSE 1 / size END) AS spare
    FROM (
        SELECT loaded.*, CASE WHEN $complete THEN n_whole ELSE n END AS size, CASE WHEN $complete THEN topical_whole ELSE topical END AS topical
        FROM loaded SEMI JOIN burst USING (bloc, day) JOIN story USING (bloc, day, story_id) WHERE loaded.complete OR NOT $complete
    )
    GROUP BY ALL
),
spread AS (
    SELECT bloc, day, sqrt(sum((coalesce(read.counted, 0) - share * (n_seen - coalesce(read.spare, 0))) ** 2) * outlets / (outlets - 1)) / base AS error
    FROM burst JOIN (FROM seen WHERE complete OR NOT $complete) AS seen USING (bloc, day) LEFT JOIN read USING (bloc, day, outlet_id)
    WHERE outlets >= 5 GROUP BY bloc, day, outlets, base
)
SELECT day, bloc, round(share, 4) AS share, round(usual, 4) AS median, round(burst.spread, 4) AS spread, round((share - usual) / burst.spread, 2) AS z,
    CAST(relevant AS BIGINT) AS relevant, CAST(seen AS BIGINT) AS seen, outlets, days_before,
    stories, CAST(base AS BIGINT) AS items, outlets_whole AS complete_outlets,
    CASE WHEN error IS NOT NULL THEN round(greatest(share - error * t, 0), 4) END AS low,
    CASE WHEN error IS NOT NULL THEN round(least(share + error * t, 1), 4) END AS high
FROM burst LEFT JOIN spread USING (bloc, day) LEFT JOIN student_t ON df = least(outlets - 1, 200)
ORDER BY day, bloc

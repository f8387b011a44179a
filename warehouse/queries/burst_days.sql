-- help: Days on which the share of AI-governance stories bursts: far above the median of the 28 days before, by robust z
-- param: bloc text all all outlets together; the name of a bloc: its outlets; each: every bloc apart
-- param: topic text null only documents that treat this topic
-- param: since date null first day that is judged
-- param: z float 3.5 only days whose z is above this
-- param: least int 7 only days with at least so many days before them, of the 28, that were seen whole
-- param: complete bool true judge only days that were fully seen; false judges all days, always by days that were fully seen
WITH on_topic AS (
    SELECT outlet_id, day, count(*) AS n
    FROM document_current AS document
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    WHERE relevant AND NOT abstain AND ($topic IS NULL OR treated.document_id IS NOT NULL)
    GROUP BY outlet_id, day
),
counted AS (
    SELECT CASE WHEN $bloc = 'each' THEN outlet.bloc ELSE $bloc END AS bloc, seen.day, complete, n_seen, coalesce(n, 0) AS n
    FROM current_outlet_day AS seen
    LEFT JOIN outlet USING (outlet_id)
    LEFT JOIN on_topic ON on_topic.outlet_id = seen.outlet_id AND on_topic.day = seen.day
    WHERE n_seen > 0 AND ($bloc IN ('all', 'each') OR outlet.bloc = $bloc)
),
whole AS (
    SELECT bloc, day, sum(n) / sum(n_seen) AS share FROM counted WHERE complete GROUP BY ALL
),
judged AS (
    SELECT bloc, day, sum(n) AS relevant, sum(n_seen) AS seen, sum(n) / sum(n_seen) AS share, count(*) AS outlets
    FROM counted WHERE (complete OR NOT $complete) AND ($since IS NULL OR day >= $since)
    GROUP BY ALL
),
compared AS (  -- the day itself is not among the days that it is measured by: a burst would hide itself
    SELECT judged.*, median(whole.share) AS usual, mad(whole.share) AS mad, count(*) AS days_before
    FROM judged JOIN whole ON whole.bloc = judged.bloc AND whole.day BETWEEN judged.day - 28 AND judged.day - 1
    GROUP BY ALL HAVING count(*) >= $least
),
measured AS (  -- 1.4826 MAD is the standard deviation of normal shares. It is 0 where most days have one share, as where most have
    -- no document on the topic; so it counts no less than chance: the error of counting so many items, at least one document.
    SELECT *, greatest(1.4826 * mad, sqrt(greatest(seen * usual * (1 - usual), 1)) / seen) AS spread FROM compared
)
SELECT day, bloc, round(share, 4) AS share, round(usual, 4) AS median, round(spread, 4) AS spread, round((share - usual) / spread, 2) AS z,
    CAST(relevant AS BIGINT) AS relevant, CAST(seen AS BIGINT) AS seen, outlets, days_before
FROM measured
WHERE (share - usual) / spread > $z
ORDER BY day, bloc

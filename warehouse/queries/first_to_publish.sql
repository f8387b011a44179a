-- help: Who publishes a shared story first: stories that one side had before another, and the hours until the other picked it up
-- param: by text bloc compare blocs, countries (country) or outlets (outlet)
-- param: topic text null only documents that treat this topic
-- param: since date null only stories that began on this day or later
-- param: least int 1 only pairs that share so many stories
-- param: relevant bool true only documents about AI governance; false counts all
WITH told AS (
    SELECT story_id, told_on AS day, moment, whole,
        CASE $by WHEN 'country' THEN outlet.country WHEN 'outlet' THEN outlet.name ELSE outlet.bloc END AS side
    FROM kept_document AS document LEFT JOIN outlet USING (outlet_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document.day
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    WHERE (NOT $relevant OR (relevant AND NOT abstain)) AND ($topic IS NULL OR treated.document_id IS NOT NULL)
),
began AS (
    SELECT story_id, min(day) AS day FROM told GROUP BY story_id
    HAVING count(DISTINCT side) > 1 AND ($since IS NULL OR min(day) >= $since)
),
earliest AS (
    SELECT told.story_id, side, min(told.day) AS day FROM told SEMI JOIN began USING (story_id) GROUP BY ALL
),
arrived AS (  -- moment: NULL where a document of the first day has no hour, for that one may have been the first
    SELECT earliest.*, CASE WHEN count(*) = count(moment) THEN min(moment) END AS moment, count(*) = count(whole) AS whole
    FROM earliest JOIN told USING (story_id, side, day) GROUP BY ALL
),
pair AS (
    SELECT one.side AS first, other.side AS follower, other.day - one.day AS days, one.whole AND other.whole AS whole,
        CASE WHEN one.moment IS NOT NULL AND other.moment IS NOT NULL THEN date_diff('minute', one.moment, other.moment) / 60.0 END AS hours,
        coalesce(sign(hours), nullif(sign(days), 0)) AS later
    FROM arrived AS one JOIN arrived AS other ON one.story_id = other.story_id AND one.side <> other.side
)
SELECT first, follower, count(*) AS stories, count(*) FILTER (later > 0) AS led, count(*) FILTER (later < 0) AS followed,
    count(*) FILTER (later = 0) AS at_once, count(*) FILTER (later IS NULL) AS unclear,
    round(median(days) FILTER (later > 0), 1) AS median_days,
    count(hours) FILTER (later > 0) AS hours_known, round(median(hours) FILTER (later > 0), 1) AS median_hours,
    round(count(*) FILTER (whole) / count(*), 2) AS seen_whole
FROM pair GROUP BY ALL HAVING count(*) >= $least
ORDER BY stories DESC, led DESC, first, follower

-- help: Raw against distinct: how often each country's outlets print a story, and how much of what they print began with them
-- param: by text country group by country, bloc or outlet
-- param: topic text null only stories with a document that treats this topic
-- param: since date null only documents from this day on
-- param: until date null only documents up to this day
-- param: relevant bool true only documents about AI governance; false counts all
WITH told AS (
    SELECT story_id, link, document.outlet_id, document.day,
        CASE $by WHEN 'bloc' THEN outlet.bloc WHEN 'outlet' THEN outlet.name ELSE outlet.country END AS side
    FROM kept_document AS document LEFT JOIN outlet USING (outlet_id)
    LEFT JOIN (FROM current_topic WHERE topic = $topic AND label) AS treated USING (document_id)
    WHERE (NOT $relevant OR (relevant AND NOT abstain)) AND ($topic IS NULL OR treated.document_id IS NOT NULL)
        AND ($since IS NULL OR document.day >= $since) AND ($until IS NULL OR document.day <= $until)
),
origin AS (  -- as view story_origin has them: nobody knows who was first where one of several of the first day has no hour
    SELECT story_id, count(*) = 1 OR count(*) = count(moment) AS first_known
    FROM kept_document JOIN (SELECT story_id, min(told_on) AS told_on FROM kept_document GROUP BY story_id) AS first USING (story_id, told_on)
    GROUP BY story_id
),
began AS (
    SELECT document_id AS story_id, CASE $by WHEN 'bloc' THEN outlet.bloc WHEN 'outlet' THEN outlet.name ELSE outlet.country END AS began
    FROM kept_document LEFT JOIN outlet USING (outlet_id)
),
counted AS (  -- once by itself and once under all
    SELECT told.*, began, first_known, whole, unnest([side, '(all)']) AS place
    FROM told JOIN origin USING (story_id) LEFT JOIN began USING (story_id) LEFT JOIN whole_day USING (outlet_id, day)
)
SELECT place, count(*) AS documents, count(DISTINCT story_id) AS stories, round(documents / stories, 2) AS amplification,
    CASE WHEN place <> '(all)' THEN count(DISTINCT story_id) FILTER (began = side AND first_known) END AS original,
    count(DISTINCT story_id) FILTER (NOT first_known) AS first_unclear,
    round(original / nullif(stories - first_unclear, 0), 3) AS original_rate,
    count(*) FILTER (link = 'translation') AS translations, count(DISTINCT outlet_id) AS outlets,
    round(count(whole) / count(*), 2) AS seen_whole
FROM counted GROUP BY place
ORDER BY place <> '(all)', documents DESC, place

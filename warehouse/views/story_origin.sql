-- One row a story: what was published first, and how far it went. Where several documents share the origin's day and not all
-- of them have an hour, nobody knows which was first: first_known is false then, and the origin is one of them.
CREATE VIEW story_origin AS
WITH told AS (
    SELECT story_id, document_id, outlet_id, split_part(lang, '-', 1) AS lang, country, told_on AS day, moment
    FROM kept_document LEFT JOIN outlet USING (outlet_id)
),
counted AS (
    SELECT story_id, count(*) AS documents, count(DISTINCT outlet_id) AS outlets, count(DISTINCT country) AS countries,
        count(DISTINCT lang) AS languages, min(day) AS first_day, max(day) AS last_day, min(moment) AS first_moment
    FROM told GROUP BY story_id
),
sameday AS (
    SELECT story_id, count(*) = 1 OR count(*) = count(moment) AS first_known
    FROM told JOIN counted USING (story_id) WHERE day = first_day GROUP BY story_id
)
SELECT counted.story_id, document.title, document.url, document.outlet_id, outlet.name AS outlet, outlet.country, outlet.bloc,
    document.lang, first_day, CASE WHEN CAST(first_moment AT TIME ZONE 'UTC' AS DATE) = first_day THEN first_moment END AS first_published_at,
    first_known, last_day, documents, outlets, countries, languages
FROM counted JOIN sameday USING (story_id)
LEFT JOIN document ON document.document_id = counted.story_id
LEFT JOIN outlet USING (outlet_id);
COMMENT ON VIEW story_origin IS 'Each story with its origin, the time of first publication, and how far it went';

-- One row a story and country (and bloc): every count in its three forms. Raw is sum(documents), distinct is
-- count(DISTINCT story_id), one vote a story and country is count(*). `relevant` are those of its documents on AI governance.
CREATE VIEW story_country AS
WITH placed AS (
    SELECT story_id, document_id, outlet_id, country, bloc, relevant AND NOT abstain AS on_topic, told_on AS day, moment
    FROM kept_document LEFT JOIN outlet USING (outlet_id)
)
SELECT story_id, country, bloc, count(*) AS documents, count(*) FILTER (on_topic) AS relevant, count(DISTINCT outlet_id) AS outlets,
    arg_min(document_id, (day, coalesce(moment, TIMESTAMPTZ '9999-12-31 00:00:00+00'), document_id)) AS first_document_id,
    min(day) AS first_day, max(day) AS last_day,
    CASE WHEN count(*) FILTER (day = min_day AND moment IS NULL) = 0 THEN min(moment) END AS first_published_at
FROM (SELECT *, min(day) OVER (PARTITION BY story_id, country, bloc) AS min_day FROM placed)
GROUP BY story_id, country, bloc;
COMMENT ON VIEW story_country IS 'Each story in each country: documents, outlets and when it came there first';

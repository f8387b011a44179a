-- One row a document: its day, and the moment where an hour is known. A feed that writes only a day has midnight: that is no hour.
CREATE VIEW document_time AS
WITH stated AS (
    SELECT document.document_id,
        coalesce(
            CASE WHEN date_trunc('day', entry.published_at) <> entry.published_at THEN entry.published_at END,
            CASE WHEN date_trunc('day', document.published_at) <> document.published_at THEN document.published_at END) AS moment,
        coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE), CAST(document.published_at AT TIME ZONE 'UTC' AS DATE),
            document.published_on, CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) AS day
    FROM document JOIN entry USING (entry_id)
)
SELECT document_id, coalesce(CAST(moment AT TIME ZONE 'UTC' AS DATE), day) AS day, moment FROM stated;
COMMENT ON VIEW document_time IS 'When a document was published: its day (UTC), and the moment where an hour is known';

-- One row a document, with its outlet and its current relevance. `day` is the day (UTC) under which outlet_day counts it:
-- the day of publication in the feed, else on the page, else the day first seen.
CREATE VIEW document_current AS
SELECT document.* EXCLUDE (load_id),
    coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE), CAST(document.published_at AT TIME ZONE 'UTC' AS DATE),
        document.published_on, CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) AS day,
    outlet.name AS outlet, outlet.country, outlet.bloc, outlet.ownership, outlet.kind,
    relevance.label_run_id, relevance.p AS p_relevant, relevance.label AS relevant, relevance.abstain
FROM document
JOIN entry USING (entry_id)
LEFT JOIN outlet ON outlet.outlet_id = document.outlet_id
LEFT JOIN current_relevance AS relevance ON relevance.document_id = document.document_id;
COMMENT ON VIEW document_current IS 'One row a document, with its outlet and its current relevance';

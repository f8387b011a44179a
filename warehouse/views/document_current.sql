-- One row a document, with its outlet and its current relevance. `day` is the day (UTC) under which outlet_day counts it:
-- the day of publication in the feed, else on the page, else the day first seen.
CREATE VIEW document_current AS
SELECT document.* EXCLUDE (load_id), kept.day,
    outlet.name AS outlet, outlet.country, outlet.bloc, outlet.ownership, outlet.kind,
    kept.label_run_id, kept.p_relevant, kept.relevant, kept.abstain
FROM document JOIN kept_document AS kept USING (document_id)
LEFT JOIN outlet ON outlet.outlet_id = document.outlet_id;
COMMENT ON VIEW document_current IS 'One row a document, with its outlet and its current relevance';

-- The documents and days of which a load may have changed what holds now.
CREATE TEMP TABLE touched_document AS
SELECT document_id FROM document WHERE load_id = $load_id
UNION SELECT document_id FROM relevance_label WHERE load_id = $load_id
UNION SELECT document_id FROM story WHERE load_id = $load_id;

CREATE TEMP TABLE touched_outlet_day AS SELECT DISTINCT outlet_id, day FROM outlet_day WHERE load_id = $load_id;

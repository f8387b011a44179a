-- A feeds load is the whole list: static columns are taken over, validators stay, feeds that it does not list are switched off.
CREATE TEMP TABLE before_outlet AS SELECT * FROM outlet;
CREATE TEMP TABLE before_feed AS SELECT * FROM feed;

MERGE INTO outlet
USING (SELECT *, $load_id AS load_id FROM staged_outlet QUALIFY row_number() OVER (PARTITION BY outlet_id ORDER BY rowid) = 1) AS new
ON outlet.outlet_id = new.outlet_id
WHEN MATCHED AND (outlet.name, outlet.country, outlet.bloc, outlet.language, outlet.ownership, outlet.kind)
    IS DISTINCT FROM (new.name, new.country, new.bloc, new.language, new.ownership, new.kind)
THEN UPDATE SET name = new.name, country = new.country, bloc = new.bloc, language = new.language,
    ownership = new.ownership, kind = new.kind, load_id = new.load_id
WHEN NOT MATCHED THEN INSERT BY NAME;

-- A feed whose address changes starts anew: the validators belong to the old address.
-- (One UPDATE in each MERGE: DuckLake takes no second WHEN MATCHED.)
MERGE INTO feed
USING (
    SELECT feed_id, outlet_id, url, language, kind, coalesce(enabled, true) AS enabled, 0 AS failures, $load_id AS load_id
    FROM staged_feed QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY rowid) = 1
) AS new
ON feed.feed_id = new.feed_id
WHEN MATCHED AND (feed.url, feed.outlet_id, feed.language, feed.kind, feed.enabled)
    IS DISTINCT FROM (new.url, new.outlet_id, new.language, new.kind, new.enabled)
THEN UPDATE SET outlet_id = new.outlet_id, url = new.url, language = new.language, kind = new.kind, enabled = new.enabled,
    etag = CASE WHEN feed.url = new.url THEN feed.etag END,
    last_modified = CASE WHEN feed.url = new.url THEN feed.last_modified END,
    body_hash = CASE WHEN feed.url = new.url THEN feed.body_hash END,
    next_poll_at = CASE WHEN feed.url = new.url THEN feed.next_poll_at END,
    failures = CASE WHEN feed.url = new.url THEN feed.failures ELSE 0 END, load_id = new.load_id
WHEN NOT MATCHED THEN INSERT BY NAME;

UPDATE feed SET enabled = false, load_id = $load_id
WHERE enabled AND EXISTS (SELECT 1 FROM staged_feed WHERE NOT starts_with(feed_id, 'backfill:')) AND feed_id NOT IN (SELECT feed_id FROM staged_feed);

INSERT INTO past_row BY NAME
SELECT 'outlet' AS record, to_json(before_outlet) AS content, load_id AS written_by, $load_id AS load_id
FROM before_outlet SEMI JOIN (SELECT outlet_id FROM outlet WHERE load_id = $load_id) AS changed USING (outlet_id);

INSERT INTO past_row BY NAME
SELECT 'feed' AS record, to_json(before_feed) AS content, load_id AS written_by, $load_id AS load_id
FROM before_feed SEMI JOIN (SELECT feed_id FROM feed WHERE load_id = $load_id) AS changed USING (feed_id);

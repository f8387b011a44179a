-- What hosts were asked for: the newest word of each counts.
CREATE TEMP TABLE before_host AS SELECT host.* FROM host SEMI JOIN staged_host USING (host);

MERGE INTO host
USING (
    SELECT *, $load_id AS load_id FROM staged_host QUALIFY row_number() OVER (PARTITION BY host ORDER BY updated_at DESC) = 1
) AS new
ON host.host = new.host
WHEN MATCHED AND (new.updated_at > host.updated_at OR host.updated_at > now()) THEN -- what lies ahead, a wrong clock wrote
    UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;

INSERT INTO past_row BY NAME
SELECT 'host' AS record, to_json(before_host) AS content, load_id AS written_by, $load_id AS load_id
FROM before_host SEMI JOIN (SELECT host FROM host WHERE load_id = $load_id) AS changed USING (host);

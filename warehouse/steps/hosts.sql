-- What hosts were asked for: the newest word of each counts.
MERGE INTO host
USING (
    SELECT *, $load_id AS load_id FROM staged_host QUALIFY row_number() OVER (PARTITION BY host ORDER BY updated_at DESC) = 1
) AS new
ON host.host = new.host
WHEN MATCHED AND new.updated_at > host.updated_at THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;

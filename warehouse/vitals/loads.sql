-- How many seconds ago anything was stored, for the first and the last time.
SELECT epoch(CAST($now AS TIMESTAMPTZ) - min(loaded_at)) AS first, epoch(CAST($now AS TIMESTAMPTZ) - max(loaded_at)) AS last
FROM load

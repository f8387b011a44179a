-- The state of the warehouse that a report shows: its newest load.
SELECT load_id, strftime(loaded_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M UTC') AS loaded_at, code_version,
    CAST(loaded_at AT TIME ZONE 'UTC' AS DATE) AS day
FROM load ORDER BY loaded_at DESC, load_id DESC LIMIT 1

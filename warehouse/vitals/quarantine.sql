-- What went into quarantine within a day, and on a day of the week before in the mean.
SELECT count(*) FILTER (quarantined_at > CAST($now AS TIMESTAMPTZ) - INTERVAL 1 DAY) AS day,
    count(*) FILTER (quarantined_at <= CAST($now AS TIMESTAMPTZ) - INTERVAL 1 DAY) / 7 AS usual
FROM entry WHERE quarantined_at > CAST($now AS TIMESTAMPTZ) - INTERVAL 8 DAY

-- help: Does the quarantine grow: entries that went there in the last 24 hours against a usual day of the 28 before, by reason
-- param: least int 10 fewer than this in a day are no growth
-- param: factor float 3 how many times a usual day is growth
WITH put AS (
    SELECT reason, quarantined_at > $now - INTERVAL 1 DAY AS newly, quarantined_at > $now - INTERVAL 29 DAY AS counted
    FROM entry WHERE outcome = 'pending' AND quarantined_at IS NOT NULL
),
counted AS (
    SELECT coalesce(reason, '(all)') AS reason, count(*) AS entries, count(*) FILTER (newly) AS last_day,
        count(*) FILTER (counted AND NOT newly) / 28 AS before_a_day
    FROM put GROUP BY GROUPING SETS ((reason), ())
)
SELECT reason, last_day >= $least AND last_day > $factor * before_a_day AS growing, entries, last_day, round(before_a_day, 2) AS before_a_day
FROM counted
ORDER BY reason <> '(all)', last_day DESC, entries DESC, reason

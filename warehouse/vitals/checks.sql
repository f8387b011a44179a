-- What each rule found when it was asked last, and how many seconds ago.
SELECT rule, arg_max(broken, checked_at) AS broken, epoch(CAST($now AS TIMESTAMPTZ) - max(checked_at)) AS age
FROM check_result GROUP BY rule ORDER BY rule

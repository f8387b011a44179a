-- How much of the period was seen whole: days of outlets, and days on which at least one outlet was.
SELECT count(*) AS outlet_days, count(*) FILTER (complete) AS complete_outlet_days,
    date_diff('day', $since, $until) + 1 AS days, count(DISTINCT day) FILTER (complete) AS days_with_complete
FROM current_outlet_day WHERE day BETWEEN $since AND $until

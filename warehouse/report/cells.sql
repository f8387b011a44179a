-- Documents behind each cell of net stance by target, bloc and week, also where they are too few for a value.
SELECT target, bloc, week, count(*) AS n FROM excerpt WHERE inside AND target IS NOT NULL
GROUP BY ALL ORDER BY target, bloc, week

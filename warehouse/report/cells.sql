-- Documents behind each cell of net stance by target, bloc and week, also where no vote is of that week: a copy printed a week after its story.
SELECT target, bloc, week, 0 AS n, count(*) AS documents FROM excerpt WHERE inside AND target IS NOT NULL
GROUP BY ALL ORDER BY target, bloc, week

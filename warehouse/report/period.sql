-- Days of the stored documents; dates after the newest load are errors of their pages and set no period.
SELECT min(day) AS first_day, max(day) AS last_day FROM document_current WHERE day <= $day

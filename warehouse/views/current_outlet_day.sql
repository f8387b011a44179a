-- One row an outlet and day (UTC): the newest version of what was seen. Trends take only complete days.
CREATE VIEW current_outlet_day AS
SELECT * FROM outlet_day
QUALIFY row_number() OVER (PARTITION BY outlet_id, day ORDER BY load_id DESC) = 1;
COMMENT ON VIEW current_outlet_day IS 'What was seen of an outlet on a day: the newest version';

-- One row an outlet and day (UTC): the newest version of what was seen. Trends take only complete days.
CREATE VIEW current_outlet_day AS SELECT * FROM kept_outlet_day;
COMMENT ON VIEW current_outlet_day IS 'What was seen of an outlet on a day: the newest version';

-- One row a day of an outlet that was seen whole. By it every query leaves the other days out, or says how much of what it
-- counts is of such days: LEFT JOIN whole_day USING (outlet_id, day), then `whole` is true or NULL.
CREATE VIEW whole_day AS
SELECT outlet_id, day, true AS whole FROM current_outlet_day WHERE complete;
COMMENT ON VIEW whole_day IS 'Days of outlets that were seen whole; every query leaves the others out or marks them';

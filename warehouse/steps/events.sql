-- An events load is the whole list. An event has no other columns than its key is made of, so none is ever changed: it comes or goes.
INSERT INTO past_row BY NAME
SELECT 'event' AS record, to_json(event) AS content, load_id AS written_by, $load_id AS load_id
FROM event ANTI JOIN staged_event USING (event_id);

DELETE FROM event WHERE event_id NOT IN (SELECT event_id FROM staged_event);

INSERT INTO event BY NAME
SELECT staged.*, $load_id AS load_id FROM staged_event AS staged ANTI JOIN event AS known USING (event_id)
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY staged.rowid) = 1;

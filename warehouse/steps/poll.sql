-- Polls and what they offered. The entries and the validators of a feed move in this one transaction.
CREATE TEMP TABLE new_poll AS
SELECT staged.*, row_number() OVER (PARTITION BY feed_id ORDER BY rowid) = 1 AS carries_entries
FROM staged_poll AS staged
WHERE poll_id NOT IN (SELECT poll_id FROM poll)
QUALIFY row_number() OVER (PARTITION BY poll_id ORDER BY rowid) = 1;

-- First one wins: entries that are known already are duplicates, and so are repetitions within this load.
CREATE TEMP TABLE offered_entry AS
SELECT staged.*, (known.entry_id IS NULL AND row_number() OVER (
    PARTITION BY staged.entry_id ORDER BY place.first_line NULLS LAST, staged.position NULLS LAST, staged.line) = 1) AS is_fresh
FROM (SELECT *, rowid AS line FROM staged_entry) AS staged
LEFT JOIN (SELECT feed_id, min(rowid) AS first_line, min(polled_at) AS polled_at FROM staged_poll GROUP BY feed_id) AS place
    ON place.feed_id = staged.feed_id
LEFT JOIN entry AS known ON known.entry_id = staged.entry_id;

MERGE INTO entry
USING (
    SELECT new.entry_id, new.feed_id, coalesce(new.outlet_id, feed.outlet_id) AS outlet_id, new.url, new.title,
        new.published_at, new.date_doubt, new.position, coalesce(new.first_seen_at, now()) AS first_seen_at,
        coalesce(new.outcome, 'pending') AS outcome, new.reason, coalesce(new.attempts, 0) AS attempts,
        new.next_attempt_at, new.document_id, new.updated_at, coalesce(new.run_id, $run_id) AS run_id, $load_id AS load_id
    FROM offered_entry AS new LEFT JOIN feed ON feed.feed_id = new.feed_id
    WHERE new.is_fresh
) AS new
ON entry.entry_id = new.entry_id
WHEN NOT MATCHED THEN INSERT BY NAME;

CREATE TEMP TABLE before_recheck AS
SELECT entry.* FROM entry SEMI JOIN offered_entry USING (entry_id) WHERE outcome = 'loaded' AND load_id <> $load_id;

-- A loaded entry that the feed calls changed since its page was fetched is fetched again: an hour later, at most three
-- times, within two weeks. A feed that calls everything changed all the time costs no more than that.
MERGE INTO entry
USING (
    SELECT offered.entry_id, max(offered.updated_at) AS updated_at, max(offered.first_seen_at) AS shown_at,
        any_value(document.fetched_at) AS fetched_at
    FROM offered_entry AS offered JOIN document ON document.entry_id = offered.entry_id
    WHERE NOT offered.is_fresh GROUP BY offered.entry_id
) AS word
ON entry.entry_id = word.entry_id AND entry.outcome = 'loaded'
WHEN MATCHED AND word.updated_at > greatest(word.fetched_at, entry.updated_at) AND coalesce(entry.rechecks, 0) < 3
    AND word.shown_at < entry.first_seen_at + INTERVAL 14 DAY
THEN UPDATE SET updated_at = word.updated_at, revise_at = coalesce(entry.revise_at, word.shown_at + INTERVAL 1 HOUR), load_id = $load_id;

INSERT INTO past_row BY NAME
SELECT 'entry' AS record, to_json(before_recheck) AS content, load_id AS written_by, $load_id AS load_id
FROM before_recheck SEMI JOIN (SELECT entry_id FROM entry WHERE load_id = $load_id) AS changed USING (entry_id);

INSERT INTO poll BY NAME
WITH counted AS (
    SELECT feed_id, count(*) AS n_lines, count(*) FILTER (is_fresh) AS n_fresh FROM offered_entry GROUP BY feed_id
),
told AS (
    SELECT new.*, CASE WHEN carries_entries THEN coalesce(n_fresh, 0) ELSE 0 END AS n_fresh,
        CASE WHEN carries_entries THEN greatest(coalesce(new.offered, 0), coalesce(n_lines, 0)) ELSE 0 END AS n_offered
    FROM new_poll AS new LEFT JOIN counted ON counted.feed_id = new.feed_id
)
SELECT * EXCLUDE (carries_entries, n_fresh, n_offered)
    REPLACE (coalesce(run_id, $run_id) AS run_id, n_offered AS offered, n_fresh AS fresh, n_offered - n_fresh AS duplicate),
    $load_id AS load_id
FROM told;

CREATE TEMP TABLE before_feed AS SELECT feed.* FROM feed SEMI JOIN new_poll USING (feed_id);

-- The newest poll of a feed decides, later ones by a clock that was ahead aside; a failed one moves no validator, an unchanged one only what the server sent anew.
-- (A join, not NOT EXISTS with <> and >: DuckDB 1.5.5 answers that wrongly.)
MERGE INTO feed
USING (
    SELECT new.* FROM new_poll AS new
    JOIN (SELECT feed_id, max(polled_at) AS newest FROM poll WHERE polled_at <= now() OR load_id = $load_id GROUP BY feed_id) AS known
        ON known.feed_id = new.feed_id AND known.newest = new.polled_at
    QUALIFY row_number() OVER (PARTITION BY new.feed_id ORDER BY new.poll_id DESC) = 1
) AS new
ON feed.feed_id = new.feed_id
WHEN MATCHED THEN UPDATE SET
    etag = CASE new.outcome WHEN 'ok' THEN new.etag WHEN 'unchanged' THEN coalesce(new.etag, feed.etag) ELSE feed.etag END,
    last_modified = CASE new.outcome WHEN 'ok' THEN new.last_modified
        WHEN 'unchanged' THEN coalesce(new.last_modified, feed.last_modified) ELSE feed.last_modified END,
    body_hash = CASE new.outcome WHEN 'ok' THEN new.body_hash ELSE feed.body_hash END,
    next_poll_at = new.next_poll_at,
    failures = coalesce(new.failures, CASE WHEN new.outcome IN ('ok', 'unchanged') THEN 0 ELSE feed.failures + 1 END),
    load_id = $load_id;

INSERT INTO past_row BY NAME
SELECT 'feed' AS record, to_json(before_feed) AS content, load_id AS written_by, $load_id AS load_id
FROM before_feed SEMI JOIN (SELECT feed_id FROM feed WHERE load_id = $load_id) AS changed USING (feed_id);

CREATE TEMP TABLE before_schedule AS SELECT feed_schedule.* FROM feed_schedule SEMI JOIN staged_feed_schedule USING (feed_id);

MERGE INTO feed_schedule
USING (
    SELECT *, $load_id AS load_id FROM staged_feed_schedule
    QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY decided_at DESC) = 1
) AS new
ON feed_schedule.feed_id = new.feed_id
WHEN MATCHED AND (new.decided_at > feed_schedule.decided_at OR feed_schedule.decided_at > now()) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;

INSERT INTO past_row BY NAME
SELECT 'feed_schedule' AS record, to_json(before_schedule) AS content, load_id AS written_by, $load_id AS load_id
FROM before_schedule SEMI JOIN (SELECT feed_id FROM feed_schedule WHERE load_id = $load_id) AS changed USING (feed_id);

CREATE TEMP TABLE decided AS
SELECT entry_id, coalesce(outcome, 'pending') AS outcome, reason, attempts, next_attempt_at, quarantined_at, document_id FROM offered_entry WHERE is_fresh;

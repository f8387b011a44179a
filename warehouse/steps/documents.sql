-- Documents, labels and evidence of the entries in `decided`, and labels of a further run for documents stored before.
CREATE TEMP TABLE before_entry AS SELECT entry.* FROM entry SEMI JOIN decided USING (entry_id) WHERE load_id <> $load_id;

MERGE INTO entry
USING (SELECT * FROM decided) AS new
ON entry.entry_id = new.entry_id AND entry.outcome = 'pending' AND $kind = 'documents'
WHEN MATCHED THEN UPDATE SET outcome = new.outcome, reason = new.reason, attempts = coalesce(new.attempts, entry.attempts),
    next_attempt_at = new.next_attempt_at, quarantined_at = new.quarantined_at, document_id = new.document_id, load_id = $load_id;

INSERT INTO past_row BY NAME
SELECT 'entry' AS record, to_json(before_entry) AS content, load_id AS written_by, $load_id AS load_id
FROM before_entry SEMI JOIN (SELECT entry_id FROM entry WHERE load_id = $load_id) AS changed USING (entry_id);

MERGE INTO document
USING (
    SELECT staged.* REPLACE (0 AS text_revision), $load_id AS load_id
    FROM staged_document AS staged
    JOIN decided ON decided.entry_id = staged.entry_id AND decided.document_id = staged.document_id AND decided.outcome = 'loaded'
    QUALIFY row_number() OVER (PARTITION BY staged.document_id ORDER BY staged.rowid) = 1
) AS new
ON document.document_id = new.document_id
WHEN NOT MATCHED THEN INSERT BY NAME;

-- Whose text and labels count: new and revised documents by their entry, and stored ones that this load does not bring again.
CREATE TEMP TABLE labelled AS
SELECT document_id, entry_id, text_revision FROM document WHERE load_id = $load_id
UNION ALL
SELECT document_id, NULL, text_revision FROM document
WHERE load_id <> $load_id AND document_id NOT IN (SELECT document_id FROM staged_document)
    AND document_id IN (SELECT document_id FROM staged_relevance_label);

-- (No MERGE, which would hold every text twice.)
INSERT INTO document_text BY NAME
SELECT document_id, text, $load_id AS load_id
FROM staged_document_text ANTI JOIN (SELECT document_id FROM document_text) AS known USING (document_id)
WHERE staged_document_text.rowid IN (
    SELECT min(staged.rowid) FROM staged_document_text AS staged
    JOIN labelled ON labelled.document_id = staged.document_id
        AND labelled.entry_id = coalesce(staged.entry_id, labelled.entry_id)
    GROUP BY staged.document_id);

MERGE INTO label_run
USING (SELECT * REPLACE (greatest(created_at, (SELECT max(created_at) FROM label_run WHERE created_at > now()) + INTERVAL 1 MICROSECOND)
        AS created_at), $load_id AS load_id -- a run that is new stays the newest, also where the clock was ahead before
    FROM staged_label_run QUALIFY row_number() OVER (PARTITION BY label_run_id ORDER BY rowid) = 1) AS new
ON label_run.label_run_id = new.label_run_id
WHEN NOT MATCHED THEN INSERT BY NAME;

-- A label is never overwritten: what a run said of a text stays as it is. It belongs to the revision that was read. Of two lines
-- that say the same thing the first counts: found by an aggregate, as a window would sort all that is loaded.
CREATE TEMP TABLE new_label AS
SELECT DISTINCT staged.document_id, staged.label_run_id, labelled.entry_id, labelled.text_revision
FROM staged_relevance_label AS staged
JOIN labelled ON labelled.document_id = staged.document_id
    AND coalesce(staged.entry_id, labelled.entry_id) IS NOT DISTINCT FROM labelled.entry_id
WHERE NOT EXISTS (
    SELECT 1 FROM relevance_label AS known
    WHERE known.document_id = staged.document_id AND known.label_run_id = staged.label_run_id
        AND known.text_revision = labelled.text_revision);

INSERT INTO relevance_label BY NAME
SELECT staged.* EXCLUDE (entry_id) REPLACE (new.text_revision AS text_revision), $load_id AS load_id
FROM staged_relevance_label AS staged
JOIN new_label AS new ON new.document_id = staged.document_id AND new.label_run_id = staged.label_run_id
    AND coalesce(staged.entry_id, new.entry_id) IS NOT DISTINCT FROM new.entry_id
QUALIFY row_number() OVER (PARTITION BY staged.document_id, staged.label_run_id ORDER BY staged.rowid) = 1;

INSERT INTO topic_label BY NAME
SELECT staged.* EXCLUDE (entry_id) REPLACE (first.text_revision AS text_revision), $load_id AS load_id
FROM staged_topic_label AS staged
JOIN (
    SELECT min(staged.rowid) AS line, any_value(new.text_revision) AS text_revision FROM staged_topic_label AS staged
    JOIN new_label AS new ON new.document_id = staged.document_id AND new.label_run_id = staged.label_run_id
        AND coalesce(staged.entry_id, new.entry_id) IS NOT DISTINCT FROM new.entry_id
    GROUP BY new.rowid, staged.topic
) AS first ON first.line = staged.rowid;

INSERT INTO stance_label BY NAME
SELECT staged.* EXCLUDE (entry_id) REPLACE (first.text_revision AS text_revision), $load_id AS load_id
FROM staged_stance_label AS staged
JOIN (
    SELECT min(staged.rowid) AS line, any_value(new.text_revision) AS text_revision FROM staged_stance_label AS staged
    JOIN new_label AS new ON new.document_id = staged.document_id AND new.label_run_id = staged.label_run_id
        AND coalesce(staged.entry_id, new.entry_id) IS NOT DISTINCT FROM new.entry_id
    GROUP BY new.rowid, staged.target
) AS first ON first.line = staged.rowid;

INSERT INTO evidence BY NAME
SELECT staged.* EXCLUDE (entry_id) REPLACE (first.text_revision AS text_revision), $load_id AS load_id
FROM staged_evidence AS staged
JOIN (
    SELECT min(staged.rowid) AS line, any_value(new.text_revision) AS text_revision FROM staged_evidence AS staged
    JOIN new_label AS new ON new.document_id = staged.document_id AND new.label_run_id = staged.label_run_id
        AND coalesce(staged.entry_id, new.entry_id) IS NOT DISTINCT FROM new.entry_id
    GROUP BY new.rowid, staged.target, staged.rank
) AS first ON first.line = staged.rowid;

-- A rejection belongs to an entry that was rejected in this load, or to a feed that was refused (no entry_id).
CREATE TEMP TABLE new_rejection AS
SELECT staged.* REPLACE (coalesce(staged.run_id, $run_id) AS run_id), staged.rowid AS line,
    coalesce(staged.entry_id, concat_ws(chr(10), coalesce(staged.run_id, $run_id), staged.url, staged.stage, staged.reason)) AS what
FROM staged_rejection AS staged LEFT JOIN decided ON decided.entry_id = staged.entry_id
WHERE staged.entry_id IS NULL OR decided.outcome = 'rejected';

MERGE INTO rejection
USING (
    SELECT * EXCLUDE (line), $load_id AS load_id FROM new_rejection
    QUALIFY row_number() OVER (PARTITION BY what ORDER BY line) = 1
) AS new
ON coalesce(rejection.entry_id, concat_ws(chr(10), rejection.run_id, rejection.url, rejection.stage, rejection.reason)) = new.what
WHEN NOT MATCHED THEN INSERT (entry_id, run_id, url, stage, reason, detail, rejected_at, load_id)
    VALUES (new.entry_id, new.run_id, new.url, new.stage, new.reason, new.detail, new.rejected_at, new.load_id);

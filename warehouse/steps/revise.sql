-- Loaded entries that were fetched again. The same document with another title or text is a revision: what it replaces is
-- kept, and the labels of what was replaced stay with it. Anything else changes nothing but the entry's own count.
CREATE TEMP TABLE rechecked AS
SELECT staged.entry_id, entry.document_id,
    coalesce((new.title, new.text_hash) IS DISTINCT FROM (document.title, document.text_hash), false)
        AND new.document_id IS NOT NULL AS is_revision
FROM (SELECT *, rowid AS line FROM staged_entry) AS staged
JOIN entry ON entry.entry_id = staged.entry_id AND entry.outcome = 'loaded' AND entry.revise_at IS NOT NULL
JOIN document ON document.document_id = entry.document_id AND document.entry_id = entry.entry_id
LEFT JOIN (
    SELECT page.* FROM staged_document AS page
    JOIN staged_document_text AS text ON text.document_id = page.document_id AND text.entry_id = page.entry_id
) AS new ON new.entry_id = staged.entry_id AND new.document_id = entry.document_id
QUALIFY row_number() OVER (PARTITION BY staged.entry_id ORDER BY staged.line) = 1;

INSERT INTO past_row BY NAME
SELECT 'entry' AS record, to_json(entry) AS content, load_id AS written_by, $load_id AS load_id
FROM entry SEMI JOIN rechecked USING (entry_id);

UPDATE entry SET revise_at = NULL, rechecks = coalesce(rechecks, 0) + 1, load_id = $load_id
WHERE entry_id IN (SELECT entry_id FROM rechecked);

DELETE FROM rechecked WHERE NOT is_revision;

INSERT INTO past_row BY NAME
SELECT 'document' AS record, to_json(document) AS content, load_id AS written_by, $load_id AS load_id
FROM document SEMI JOIN rechecked USING (document_id);

INSERT INTO past_row BY NAME
SELECT 'document_text' AS record, to_json(document_text) AS content, load_id AS written_by, $load_id AS load_id
FROM document_text SEMI JOIN rechecked USING (document_id);

INSERT INTO document_revision BY NAME
SELECT document.document_id, document.text_revision, document.title, stored.text, document.text_hash, document.fetched_at,
    new.fetched_at AS replaced_at, document.warc_path, document.extractor, $load_id AS load_id
FROM rechecked
JOIN document ON document.document_id = rechecked.document_id
LEFT JOIN document_text AS stored ON stored.document_id = rechecked.document_id -- retention may have taken it
JOIN staged_document AS new ON new.document_id = rechecked.document_id AND new.entry_id = rechecked.entry_id;

MERGE INTO document_text
USING (
    SELECT text.document_id, text.text FROM staged_document_text AS text
    JOIN rechecked ON rechecked.document_id = text.document_id AND rechecked.entry_id = text.entry_id
) AS new
ON document_text.document_id = new.document_id
WHEN MATCHED THEN UPDATE SET text = new.text, load_id = $load_id;

-- The day of publication stays: a correction must not move a document along a trend.
MERGE INTO document
USING (
    SELECT page.* FROM staged_document AS page
    JOIN rechecked ON rechecked.document_id = page.document_id AND rechecked.entry_id = page.entry_id
) AS new
ON document.document_id = new.document_id
WHEN MATCHED THEN UPDATE SET text_revision = document.text_revision + 1, title = new.title, authors = new.authors, url = new.url,
    fetched_at = new.fetched_at, lang = new.lang, text_hash = new.text_hash, text_length = new.text_length,
    warc_path = new.warc_path, extractor = new.extractor, load_id = $load_id;

-- Of documents that removal names, only the fact, the labels and the counts stay. Runs with an erasure and at the end of each
-- load, which may bring such a document again. load_id stays as it is: the rows count in earlier snapshots as before.
CREATE TEMP TABLE erased AS SELECT DISTINCT document_id FROM removal WHERE record = 'document';
CREATE TEMP TABLE erased_entry AS SELECT entry_id FROM entry SEMI JOIN erased USING (document_id);

DELETE FROM document_text WHERE document_id IN (SELECT document_id FROM erased);

DELETE FROM evidence WHERE document_id IN (SELECT document_id FROM erased);

UPDATE document_revision SET title = NULL, text = NULL, warc_path = NULL WHERE document_id IN (SELECT document_id FROM erased);

DELETE FROM sketch WHERE document_id IN (SELECT document_id FROM erased);

-- A copy shows what an erased document said. Its story is linked anew without it, by the next pass, as if none of it was yet.
CREATE TEMP TABLE broken_story AS
SELECT DISTINCT story.story_id FROM story JOIN erased ON erased.document_id IN (story.document_id, story.story_id, story.parent_id);

INSERT INTO touched_document SELECT DISTINCT document_id FROM story SEMI JOIN broken_story USING (story_id);

DELETE FROM story WHERE document_id IN (SELECT document_id FROM story SEMI JOIN broken_story USING (story_id));

UPDATE document SET title = NULL, authors = NULL, url = NULL, canonical_url = NULL, warc_path = NULL
WHERE document_id IN (SELECT document_id FROM erased);

-- Nor is it fetched again where its feed calls it changed.
UPDATE entry SET url = NULL, title = NULL, revise_at = NULL WHERE document_id IN (SELECT document_id FROM erased);

DELETE FROM past_row WHERE record = 'document_text' AND (content ->> 'document_id') IN (SELECT document_id FROM erased);

-- Earlier versions too: a null in a merge patch takes the key away. Those of earlier loads were patched before.
UPDATE past_row SET content = json_merge_patch(content, '{"title": null, "authors": null, "url": null, "canonical_url": null, "warc_path": null}')
WHERE ($all_past OR load_id = $load_id) AND record IN ('entry', 'document') AND ((content ->> 'entry_id') IN (SELECT entry_id FROM erased_entry)
    OR (content ->> 'document_id') IN (SELECT document_id FROM erased));

-- Of an erased document nothing is left but the fact, its labels and its counts.
WITH erased AS (
    SELECT document_id FROM removal WHERE record = 'document'
)
SELECT 'document' AS record, document_id AS id FROM document SEMI JOIN erased USING (document_id)
WHERE title IS NOT NULL OR authors IS NOT NULL OR url IS NOT NULL OR canonical_url IS NOT NULL OR warc_path IS NOT NULL
UNION ALL
SELECT 'entry', entry_id FROM entry SEMI JOIN erased USING (document_id) WHERE url IS NOT NULL OR title IS NOT NULL
UNION ALL
SELECT 'document_text', document_id FROM document_text SEMI JOIN erased USING (document_id)
UNION ALL
SELECT 'document_revision', document_id FROM document_revision SEMI JOIN erased USING (document_id)
WHERE title IS NOT NULL OR text IS NOT NULL OR warc_path IS NOT NULL
UNION ALL
SELECT 'sketch', document_id FROM sketch SEMI JOIN erased USING (document_id)
UNION ALL
SELECT 'story', story.document_id FROM story
JOIN erased ON erased.document_id IN (story.document_id, story.story_id, story.parent_id)
UNION ALL
SELECT 'evidence', document_id FROM evidence SEMI JOIN erased USING (document_id)
UNION ALL
SELECT 'past_row', past_row.load_id FROM past_row SEMI JOIN (SELECT entry_id FROM entry SEMI JOIN erased USING (document_id)) AS known
    ON (content ->> 'entry_id') = known.entry_id
WHERE (content ->> 'url') IS NOT NULL OR (content ->> 'title') IS NOT NULL
UNION ALL
SELECT 'past_row', past_row.load_id FROM past_row JOIN erased ON (content ->> 'document_id') = erased.document_id
WHERE record = 'document_text' OR (content ->> 'url') IS NOT NULL OR (content ->> 'title') IS NOT NULL OR (content ->> 'warc_path') IS NOT NULL

-- Each document is in one story; its source is earlier and in the same story; an origin names itself and is the earliest.
WITH placed AS (
    SELECT story.*, (day, coalesce(moment, TIMESTAMPTZ '9999-12-31 00:00:00+00'), document_id) AS place
    FROM current_story AS story JOIN document_time USING (document_id)
)
SELECT 'document without story' AS problem, document_id FROM document ANTI JOIN current_story USING (document_id)
UNION ALL
SELECT 'document in two stories', document_id FROM current_story GROUP BY document_id HAVING count(*) > 1
UNION ALL
SELECT 'story of an unknown document', document_id FROM story ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'sketch of an unknown document', document_id FROM sketch ANTI JOIN document USING (document_id)
UNION ALL
SELECT 'origin with a source, or copy without one', document_id FROM placed
WHERE (link = 'origin') <> (parent_id IS NULL) OR (link = 'origin') <> (story_id = document_id) OR (link = 'origin') <> (similarity IS NULL)
UNION ALL
SELECT 'source that is not earlier, or of another story', child.document_id
FROM placed AS child LEFT JOIN placed AS parent ON parent.document_id = child.parent_id
WHERE child.parent_id IS NOT NULL AND (parent.place IS NULL OR parent.place >= child.place OR parent.story_id <> child.story_id)
UNION ALL
SELECT 'origin that is not the earliest', member.document_id
FROM placed AS member LEFT JOIN placed AS origin ON origin.document_id = member.story_id
WHERE origin.place IS NULL OR origin.place > member.place OR origin.link <> 'origin'

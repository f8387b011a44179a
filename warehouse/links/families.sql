-- All members of the stories that these documents belong to, with what each was taken from.
SELECT document_id, story_id, parent_id, link, similarity FROM current_story
WHERE load_id IS NOT NULL AND story_id IN (
    SELECT story_id FROM current_story WHERE load_id IS NOT NULL AND document_id IN (SELECT unnest(string_split($ids, chr(10)))))

-- One row a document: the story that it belongs to by the newest version. A document that was not compared yet is its own story.
CREATE VIEW current_story AS
SELECT document.document_id, coalesce(place.story_id, document.document_id) AS story_id, place.parent_id,
    coalesce(place.link, 'origin') AS link, place.similarity, place.computed_at, place.load_id
FROM document LEFT JOIN (
    SELECT document_id, unnest(arg_max(struct_pack(story_id := story_id, parent_id := parent_id, link := link,
        similarity := similarity, computed_at := computed_at, load_id := load_id), load_id))
    FROM story GROUP BY document_id
) AS place USING (document_id);
COMMENT ON VIEW current_story IS 'The story of each document: the newest version';

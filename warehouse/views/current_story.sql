-- One row a document: the story that it belongs to by the newest version. A document that was not compared yet is its own story.
CREATE VIEW current_story AS
SELECT document_id, story_id, parent_id, link, similarity, placed_at AS computed_at, placed_by AS load_id FROM kept_document;
COMMENT ON VIEW current_story IS 'The story of each document: the newest version';

-- Sketches and places in stories of stored documents. A place is written where it is not what the newest version says.
INSERT INTO sketch BY NAME
SELECT staged.*, $load_id AS load_id
FROM staged_sketch AS staged SEMI JOIN document USING (document_id) ANTI JOIN sketch AS known USING (document_id, method)
QUALIFY row_number() OVER (PARTITION BY document_id, method ORDER BY staged.rowid) = 1;

INSERT INTO story BY NAME
SELECT staged.*, $load_id AS load_id
FROM staged_story AS staged SEMI JOIN document USING (document_id)
LEFT JOIN (SELECT document_id, arg_max((story_id, parent_id, method), load_id) AS place FROM story GROUP BY document_id) AS known
    USING (document_id)
WHERE known.place IS DISTINCT FROM (staged.story_id, staged.parent_id, staged.method)
QUALIFY row_number() OVER (PARTITION BY document_id ORDER BY staged.rowid) = 1;

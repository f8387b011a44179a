-- What holds of each document in touched_document: when it was published, whose labels count, where it stands in a story.
-- The day is that of publication in the feed, else on the page, else the day first seen. A feed that writes only a day has
-- midnight: that is no hour. A document that was not compared yet is its own story.
WITH stated AS MATERIALIZED (
    SELECT document_id, document.outlet_id, lang, text_revision,
        coalesce(CAST(entry.published_at AT TIME ZONE 'UTC' AS DATE), CAST(document.published_at AT TIME ZONE 'UTC' AS DATE),
            published_on, CAST(entry.first_seen_at AT TIME ZONE 'UTC' AS DATE)) AS day,
        coalesce(
            CASE WHEN date_trunc('day', entry.published_at) <> entry.published_at THEN entry.published_at END,
            CASE WHEN date_trunc('day', document.published_at) <> document.published_at THEN document.published_at END) AS moment
    FROM document SEMI JOIN touched_document USING (document_id) LEFT JOIN entry USING (entry_id)
),
labelled AS (
    SELECT label.document_id, label_run_id, label.text_revision, p AS p_relevant, label AS relevant, abstain
    FROM (FROM relevance_label SEMI JOIN touched_document USING (document_id)) AS label
    JOIN label_run USING (label_run_id)
    JOIN stated ON stated.document_id = label.document_id AND stated.text_revision = label.text_revision
    QUALIFY row_number() OVER (PARTITION BY label.document_id ORDER BY label_run.created_at DESC, label_run_id DESC) = 1
),
place AS (
    SELECT document_id, unnest(arg_max(struct_pack(story_id := story_id, parent_id := parent_id, link := link,
        similarity := similarity, placed_at := computed_at, placed_by := load_id), load_id))
    FROM story SEMI JOIN touched_document USING (document_id) GROUP BY document_id
)
SELECT stated.* EXCLUDE (text_revision), coalesce(CAST(moment AT TIME ZONE 'UTC' AS DATE), day) AS told_on,
    label_run_id, labelled.text_revision, p_relevant, relevant, abstain,
    coalesce(story_id, document_id) AS story_id, parent_id, coalesce(link, 'origin') AS link, similarity, placed_at, placed_by
FROM stated LEFT JOIN labelled USING (document_id) LEFT JOIN place USING (document_id)

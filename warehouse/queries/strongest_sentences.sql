-- help: Strongest sentences for a position on a target, one a story, with link and model revision
-- param: target text multilateral target of the codebook
-- param: label text against favor, against or neutral
-- param: voice text null only sentences of this voice: own, quoted or reported
-- param: bloc text null only outlets of this bloc
-- param: most int 20 at most so many sentences
WITH of_document AS (
    SELECT document.outlet, document.country, document.bloc, document.day, document.title, sentence.text AS sentence, sentence.voice, sentence.speaker,
        CASE $label WHEN 'favor' THEN p_favor WHEN 'against' THEN p_against ELSE p_neutral END AS p,
        document.url, run.model_id, run.revision, sentence.sentence_start, sentence.sentence_end, document_id, story_id, link, whole IS NOT NULL AS seen_whole
    FROM current_stance AS stance
    JOIN current_evidence AS sentence USING (document_id, label_run_id, target)
    JOIN current_label_run AS run USING (document_id, label_run_id)
    JOIN document_current AS document USING (document_id)
    JOIN current_story USING (document_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document.day
    WHERE target = $target AND stance.label = $label AND addressed AND NOT stance.abstain
        AND document.relevant AND NOT document.abstain AND ($bloc IS NULL OR document.bloc = $bloc)
        AND ($voice IS NULL OR sentence.voice = $voice)
    QUALIFY row_number() OVER (PARTITION BY document_id ORDER BY sentence.rank) = 1
)
SELECT * EXCLUDE (link, seen_whole) REPLACE (round(p, 3) AS p), count(*) OVER (PARTITION BY story_id) AS documents, seen_whole
FROM of_document
QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY of_document.p DESC, link <> 'origin', day, document_id) = 1
ORDER BY of_document.p DESC, document_id
LIMIT $most

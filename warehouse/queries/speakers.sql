-- help: Who is heard for and against a target: roles and organizations quoted or reported, and the documents' own voice
-- param: target text multilateral target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: least int 1 speakers heard in fewer documents are left out
SELECT coalesce(lower(sentence.speaker), if(sentence.voice = 'own', '(own voice)', '(' || sentence.voice || ', not named)')) AS speaker,
    count(DISTINCT document_id) FILTER (WHERE stance.label = 'favor') AS favor,
    count(DISTINCT document_id) FILTER (WHERE stance.label = 'against') AS against,
    count(DISTINCT document_id) AS documents, count(DISTINCT document.outlet_id) AS outlets,
    min(document.day) AS first_day, max(document.day) AS last_day
FROM current_stance AS stance
JOIN current_evidence AS sentence USING (document_id, label_run_id, target)
JOIN document_current AS document USING (document_id)
WHERE target = $target AND NOT stance.abstain AND document.relevant AND NOT document.abstain
    AND sentence.voice IS NOT NULL AND ($bloc IS NULL OR document.bloc = $bloc)
GROUP BY ALL
HAVING count(DISTINCT document_id) >= $least
ORDER BY documents DESC, speaker

-- One row a target, story and country (and bloc): the mean of its documents' net stances is one vote, on the day of the first
-- of them. Documents that do not address the target, and those on which the model abstains, say nothing.
CREATE VIEW stance_vote AS
SELECT target, story_id, country, bloc, avg(p_favor - p_against) AS net, count(*) AS documents,
    arg_min(outlet_id, (day, moment IS NULL, moment, document_id)) AS outlet_id, min(day) AS day
FROM stance_label AS stance
JOIN kept_document AS document USING (document_id, label_run_id, text_revision)
LEFT JOIN outlet USING (outlet_id)
WHERE addressed AND NOT stance.abstain AND document.relevant AND NOT document.abstain
GROUP BY target, story_id, country, bloc;
COMMENT ON VIEW stance_vote IS 'One vote a target, story and country: the mean net stance of the documents';

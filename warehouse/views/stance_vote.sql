-- One row a target, story and country (and bloc): the mean of its documents' net stances is one vote, on the day of the first
-- of them. Documents that do not address the target, and those on which the model abstains, say nothing.
CREATE VIEW stance_vote AS
SELECT target, story_id, document.country, document.bloc, avg(p_favor - p_against) AS net, count(*) AS documents,
    arg_min(document.outlet_id, (document.day, moment IS NULL, moment, document_id)) AS outlet_id, min(document.day) AS day
FROM current_stance AS stance
JOIN document_current AS document USING (document_id)
JOIN current_story AS story USING (document_id)
JOIN document_time AS published USING (document_id)
WHERE addressed AND NOT stance.abstain AND document.relevant AND NOT document.abstain
GROUP BY target, story_id, document.country, document.bloc;
COMMENT ON VIEW stance_vote IS 'One vote a target, story and country: the mean net stance of the documents';

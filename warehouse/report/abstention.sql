-- How often the model abstains from a stance, of the relevant documents that address the target.
SELECT target, count(*) AS addressed, count(*) FILTER (stance.abstain) AS abstained,
    round(count(*) FILTER (stance.abstain) / count(*), 4) AS share
FROM current_stance AS stance JOIN document_current AS document USING (document_id)
WHERE addressed AND relevant AND NOT document.abstain AND day BETWEEN $since AND $until
GROUP BY target ORDER BY target

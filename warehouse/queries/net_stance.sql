-- help: Net stance (favor minus against) by target, bloc and week with a 95 % interval; each outlet's documents count one by one
-- param: target text null only this target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: least int 5 only cells of at least so many documents
SELECT target, bloc, CAST(date_trunc('week', day) AS DATE) AS week, count(*) AS n,
    round(avg(p_favor - p_against), 3) AS net,
    round(avg(p_favor - p_against) - 1.96 * stddev_samp(p_favor - p_against) / sqrt(count(*)), 3) AS low,
    round(avg(p_favor - p_against) + 1.96 * stddev_samp(p_favor - p_against) / sqrt(count(*)), 3) AS high
FROM current_stance AS stance JOIN document_current AS document USING (document_id)
WHERE addressed AND NOT stance.abstain AND document.relevant AND NOT document.abstain
    AND ($target IS NULL OR target = $target) AND ($bloc IS NULL OR bloc = $bloc)
GROUP BY ALL
HAVING count(*) >= $least
ORDER BY target, bloc, week

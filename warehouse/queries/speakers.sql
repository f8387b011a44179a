-- help: Who is heard for and against a target: roles and organizations quoted or reported, and the documents' own voice
-- param: target text multilateral target of the codebook
-- param: bloc text null only outlets of this bloc
-- param: least int 1 speakers heard in fewer stories are left out
-- param: enough int 5 net stance and interval only where at least so many outlets (three or more) let the speaker be heard
-- param: complete bool false only days that were fully seen
-- favor and against count stories, each once. The net stance has one vote a story and country; its interval is the jackknife over
-- outlets (CV3, as in net_stance), each vote that of the outlet that had it first.
WITH heard AS (
    SELECT DISTINCT coalesce(lower(sentence.speaker), if(sentence.voice = 'own', '(own voice)', '(' || sentence.voice || ', not named)')) AS speaker,
        document_id, story_id, document.outlet_id, document.country, document.bloc, document.day, whole, stance.label, p_favor - p_against AS net
    FROM current_stance AS stance
    JOIN current_evidence AS sentence USING (document_id, label_run_id, target)
    JOIN document_current AS document USING (document_id)
    JOIN current_story USING (document_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document.day
    WHERE target = $target AND addressed AND NOT stance.abstain AND document.relevant AND NOT document.abstain
        AND sentence.voice IS NOT NULL AND ($bloc IS NULL OR document.bloc = $bloc) AND (whole OR NOT $complete)
),
told AS (
    SELECT speaker, count(DISTINCT story_id) FILTER (label = 'favor') AS favor, count(DISTINCT story_id) FILTER (label = 'against') AS against,
        count(*) AS documents, count(DISTINCT outlet_id) AS outlets, min(day) AS first_day, max(day) AS last_day,
        count(DISTINCT story_id) AS stories, count(whole) / count(*) AS seen_whole
    FROM heard GROUP BY speaker HAVING count(DISTINCT story_id) >= $least
),
vote AS (
    SELECT speaker, avg(net) AS net, arg_min(outlet_id, (day, document_id)) AS outlet_id
    FROM heard SEMI JOIN told USING (speaker) GROUP BY speaker, story_id, country, bloc
),
part AS (
    SELECT speaker, outlet_id, count(*) AS n, sum(net) AS net FROM vote GROUP BY ALL
),
cell AS (
    SELECT speaker, sum(n) AS n, sum(net) AS total, sum(net) / sum(n) AS net, count(*) AS clusters FROM part GROUP BY speaker
),
spread AS (
    SELECT speaker, (clusters - 1) / clusters * sum(((total - part.net) / (cell.n - part.n) - cell.net) ** 2) AS variance
    FROM part JOIN cell USING (speaker) WHERE clusters >= greatest($enough, 3) GROUP BY speaker, clusters
)
SELECT speaker, favor, against, documents, outlets, first_day, last_day, stories, CAST(n AS BIGINT) AS votes,
    CASE WHEN variance IS NOT NULL THEN round(net, 3) END AS net, CASE WHEN variance IS NOT NULL THEN round(greatest(net - sqrt(variance) * t, -1), 3) END AS low,
    CASE WHEN variance IS NOT NULL THEN round(least(net + sqrt(variance) * t, 1), 3) END AS high, round(seen_whole, 2) AS seen_whole
FROM told JOIN cell USING (speaker) LEFT JOIN spread USING (speaker) LEFT JOIN student_t ON df = least(clusters - 1, 200)
ORDER BY stories DESC, documents DESC, speaker

-- help: Words that tell stories in favor of a target from those against it, in the sentences of evidence of their first documents
-- param: target text multilateral target of the codebook
-- param: lang text en only documents in this language
-- param: most int 20 at most so many words a side
-- param: least int 5 words in fewer stories are left out
-- param: complete bool false only stories whose first document is of a day that was fully seen
-- Weighted log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn, Political Analysis 16, 2008), over the number
-- of documents that have a word. The prior weighs 500 words: each word's share in the evidence of the language for all targets.
WITH root AS (  -- the first document of each story in the language: a copy adds no words
    SELECT arg_min(document_id, (document_time.day, moment IS NULL, moment, document_id)) AS document_id
    FROM current_story JOIN document_time USING (document_id) JOIN document USING (document_id)
    WHERE split_part(lang, '-', 1) = $lang GROUP BY story_id
),
sentence AS (  -- side is NULL where the sentence is background alone
    SELECT document_id, whole, nfc_normalize(lower(evidence.text)) AS text,
        CASE WHEN target = $target AND addressed AND NOT said.abstain AND said.label <> 'neutral' THEN said.label END AS side
    FROM current_evidence AS evidence
    JOIN current_stance AS said USING (document_id, label_run_id, target)
    JOIN document_current AS document USING (document_id)
    SEMI JOIN root USING (document_id)
    LEFT JOIN whole_day ON whole_day.outlet_id = document.outlet_id AND whole_day.day = document.day
    WHERE document.relevant AND NOT document.abstain AND (whole OR NOT $complete)
),
run AS (  -- letters in a row; Chinese and Japanese script stands apart from other script
    SELECT document_id, whole, side,
        unnest(regexp_extract_all(regexp_replace(text, '[\p{Han}\p{Hiragana}\p{Katakana}ー]+', ' \0 ', 'g'), '\p{L}[\p{L}\p{M}]+')) AS run
    FROM sentence
),
said AS (
    SELECT document_id, whole, side, unnest(CASE WHEN regexp_matches(run, '^[\p{Han}\p{Hiragana}\p{Katakana}ー]')
        THEN [substring(run, start, 2) FOR start IN range(1, length(run))] ELSE [run] END) AS word
    FROM run
),
heard AS (  -- a word counts once a document
    SELECT word, document_id, max(side) AS side, any_value(whole) AS whole FROM said GROUP BY word, document_id
),
counted AS (
    SELECT word, count(*) AS documents, count(*) FILTER (side = 'favor') AS favor, count(*) FILTER (side = 'against') AS against,
        count(side) AS sided, count(side) FILTER (whole) AS whole
    FROM heard GROUP BY word
),
total AS (
    SELECT sum(documents) AS documents, sum(favor) AS favor, sum(against) AS against FROM counted
),
weighed AS (
    SELECT word, counted.favor, counted.against, whole / sided AS seen_whole, 500 * counted.documents / total.documents AS prior,
        total.favor + 500 AS all_favor, total.against + 500 AS all_against
    FROM counted CROSS JOIN total
    WHERE total.favor > 0 AND total.against > 0 AND counted.favor + counted.against >= $least
),
scored AS (
    SELECT word, favor, against, seen_whole, (ln((favor + prior) / nullif(all_favor - favor - prior, 0))
        - ln((against + prior) / nullif(all_against - against - prior, 0))) / sqrt(1 / (favor + prior) + 1 / (against + prior)) AS score
    FROM weighed
)
SELECT if(score > 0, 'favor', 'against') AS side, word, favor, against, round(score, 2) AS z, round(seen_whole, 2) AS seen_whole
FROM scored
WHERE score <> 0
QUALIFY row_number() OVER (PARTITION BY score > 0 ORDER BY abs(score) DESC, word) <= $most
ORDER BY score > 0 DESC, abs(score) DESC, word

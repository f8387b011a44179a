-- help: Words that tell stories in favor of a target from those against it, in the sentences of evidence of their first documents
-- param: target text multilateral target of the codebook
-- param: lang text en only documents in this language
-- param: most int 20 at most so many words a side
-- param: least int 5 words in fewer stories are left out
-- param: complete bool false only stories whose first document is of a day that was fully seen
-- Weighted log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn, Political Analysis 16, 2008), over the number
-- of documents that have a word. The prior weighs 500 words: each word's share in the evidence of the language for all targets.
WITH told AS (
    SELECT document_id, outlet_id, day, label_run_id, text_revision, story_id, told_on, moment, relevant AND NOT abstain AS on_topic
    FROM kept_document WHERE split_part(lang, '-', 1) = $lang
),
root AS (  -- the first document of each story in the language: a copy adds no words
    SELECT arg_min(document_id, (told_on, moment IS NULL, moment, document_id)) AS document_id
    FROM told WHERE story_id IN (SELECT story_id FROM told WHERE on_topic) GROUP BY story_id
),
sentence AS (  -- side is NULL where the sentence is background alone
    SELECT n, whole, nfc_normalize(lower(evidence.text)) AS text, said.label AS side
    FROM (SELECT told.*, row_number() OVER () AS n FROM told SEMI JOIN root USING (document_id) WHERE on_topic) AS document
    LEFT JOIN whole_day USING (outlet_id, day)
    JOIN evidence USING (document_id, label_run_id, text_revision)
    LEFT JOIN (FROM stance_label WHERE target = $target AND addressed AND NOT abstain AND label <> 'neutral') AS said
        USING (document_id, label_run_id, text_revision, target)
    WHERE whole OR NOT $complete
),
run AS (  -- letters in a row; Chinese and Japanese script stands apart from other script
    SELECT n, whole, side,
        unnest(regexp_extract_all(CASE WHEN strlen(text) = length(text) THEN text -- nothing but ASCII
            ELSE regexp_replace(text, '[\p{Han}\p{Hiragana}\p{Katakana}ー]+', ' \0 ', 'g') END, '\p{L}[\p{L}\p{M}]+')) AS run
    FROM sentence
),
said AS (
    SELECT n, whole, side, unnest(CASE WHEN regexp_matches(run, '^[\p{Han}\p{Hiragana}\p{Katakana}ー]')
        THEN [substring(run, start, 2) FOR start IN range(1, length(run))] ELSE [run] END) AS word
    FROM run
),
heard AS (  -- a word counts once a document
    SELECT word, n, any_value(whole) AS whole, bool_or(side = 'favor') AS favor, bool_or(side = 'against') AS against
    FROM said GROUP BY word, n
),
counted AS (
    SELECT word, count(*) AS documents, count(*) FILTER (favor) AS favor, count(*) FILTER (against) AS against,
        count(*) FILTER (favor OR against) AS sided, count(*) FILTER ((favor OR against) AND whole) AS whole
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

-- One row a relevant document of the period and target that it addresses, with its strongest sentence, cut to an excerpt; one row
-- without a target where it addresses none. The days before the period that the window of an event may reach are `inside` no more. `lead` marks the row that stands for the document where no target is asked for.
CREATE OR REPLACE TEMP TABLE excerpt AS
WITH best AS (
    SELECT document_id, label_run_id, target, arg_min(struct_pack(text := text, voice := voice, speaker := speaker), rank) AS said
    FROM current_evidence GROUP BY ALL
),
stance AS (
    SELECT document_id, target, label, p_favor - p_against AS net,
        CASE label WHEN 'favor' THEN p_favor WHEN 'against' THEN p_against ELSE p_neutral END AS p, said
    FROM current_stance LEFT JOIN best USING (document_id, label_run_id, target)
    WHERE addressed AND NOT abstain
)
SELECT document.document_id, day, CAST(date_trunc('week', day) AS DATE) AS week, story_id, outlet_id, outlet, country, bloc, title, url, lang, day >= $since AS inside,
    target, label, net, p, said.voice, said.speaker,
    CASE WHEN length(said.text) > $longest THEN left(said.text, $longest - 1) || '…' ELSE said.text END AS sentence,
    row_number() OVER (PARTITION BY document.document_id ORDER BY said.text IS NULL, p DESC, target) = 1 AS lead
FROM document_current AS document JOIN current_story USING (document_id) LEFT JOIN stance USING (document_id)
WHERE relevant AND NOT abstain AND day BETWEEN $since - CAST($days AS INTEGER) AND $until

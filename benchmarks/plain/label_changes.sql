WITH run AS (
    SELECT label_run_id, row_number() OVER (ORDER BY created_at DESC) AS turn FROM label_run
),
pair AS (
    SELECT lang, old.target, CASE WHEN old.abstain = 1 THEN 'abstain' ELSE old.label END AS label_before,
        CASE WHEN new.abstain = 1 THEN 'abstain' ELSE new.label END AS label_after
    FROM stance_label AS new JOIN stance_label AS old ON old.document_id = new.document_id AND old.target = new.target
    JOIN document ON document.document_id = new.document_id
    WHERE new.label_run_id = (SELECT label_run_id FROM run WHERE turn = 1) AND old.label_run_id = (SELECT label_run_id FROM run WHERE turn = 2)
)
SELECT lang, target, label_before, label_after, count(*) AS changed FROM pair WHERE label_before <> label_after
GROUP BY lang, target, label_before, label_after ORDER BY 1, 2, 3, 4

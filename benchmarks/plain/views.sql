CREATE INDEX document_by_outlet_day ON document (outlet_id, day);
CREATE INDEX stance_by_target ON stance_label (target, addressed, abstain);
CREATE VIEW current_label_run AS
SELECT document_id, label_run_id, label, abstain FROM (
    SELECT relevance_label.*, row_number() OVER (PARTITION BY document_id ORDER BY created_at DESC, relevance_label.label_run_id DESC) AS turn
    FROM relevance_label JOIN label_run ON label_run.label_run_id = relevance_label.label_run_id) AS ranked WHERE turn = 1;
CREATE VIEW current_story AS
SELECT document_id, story_id, link FROM (SELECT story.*, row_number() OVER (PARTITION BY document_id ORDER BY load_id DESC) AS turn FROM story) AS ranked WHERE turn = 1;
CREATE VIEW current_outlet_day AS
SELECT outlet_id, day, n_seen, complete FROM (
    SELECT outlet_day.*, row_number() OVER (PARTITION BY outlet_id, day ORDER BY load_id DESC) AS turn FROM outlet_day) AS ranked WHERE turn = 1;
CREATE VIEW on_topic AS
SELECT document.*, outlet.name AS outlet, outlet.country, outlet.bloc, label_run_id
FROM document JOIN outlet ON outlet.outlet_id = document.outlet_id
JOIN current_label_run AS run ON run.document_id = document.document_id WHERE run.label = 1 AND run.abstain = 0;

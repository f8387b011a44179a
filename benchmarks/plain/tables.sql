-- The tables as a careful person would make them by hand: keys, and an index for each way in which the queries come to a row.
CREATE TABLE outlet (outlet_id text PRIMARY KEY, name text, country text, bloc text);
CREATE TABLE document (document_id text PRIMARY KEY, outlet_id text, day text, week text, title text, url text, lang text);
CREATE TABLE story (document_id text, story_id text, link text, load_id text, PRIMARY KEY (document_id, load_id));
CREATE TABLE outlet_day (outlet_id text, day text, n_seen integer, complete integer, load_id text, PRIMARY KEY (outlet_id, day, load_id));
CREATE TABLE label_run (label_run_id text PRIMARY KEY, created_at text);
CREATE TABLE relevance_label (document_id text, label_run_id text, label integer, abstain integer, PRIMARY KEY (document_id, label_run_id));
CREATE TABLE stance_label (document_id text, label_run_id text, target text, addressed integer, p_favor double precision, p_against double precision,
    label text, abstain integer, PRIMARY KEY (document_id, label_run_id, target));
CREATE TABLE evidence (document_id text, label_run_id text, target text, rank integer, text text, voice text, speaker text, PRIMARY KEY (document_id, label_run_id, target, rank));

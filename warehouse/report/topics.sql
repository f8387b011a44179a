-- Relevant documents by topic; a document may treat several.
SELECT topic, count(*) AS documents, count(DISTINCT outlet_id) AS outlets,
    round(count(*) / (SELECT count(*) FROM excerpt WHERE inside AND lead), 4) AS share
FROM excerpt JOIN current_topic AS treated USING (document_id)
WHERE inside AND lead AND treated.label
GROUP BY topic ORDER BY documents DESC, topic

-- What each mark of the report opens: at most $most sentences, the strongest of each side by turns, none twice. `documents` counts
-- all that are behind the mark. A mark is named by what it shows: net/TARGET/BLOC/WEEK, place/TARGET/BLOC, step/DAY,
-- and so on.
WITH shown AS (
    SELECT unnest([concat('net/', target, '/', bloc, '/', week), concat('place/', target, '/', bloc),
        concat('place/', target, '/', bloc, '/', country)]) AS mark, *
    FROM excerpt WHERE inside AND target IS NOT NULL
    UNION ALL
    SELECT concat('shift/', event.day, '/', target, '/', excerpt.bloc), excerpt.*
    FROM excerpt JOIN (SELECT unnest(CAST($events AS DATE[])) AS day) AS event
        ON excerpt.day >= event.day - CAST($days AS INTEGER) AND excerpt.day < event.day + CAST($days AS INTEGER)
    WHERE target IS NOT NULL
    UNION ALL
    SELECT unnest([concat('step/', if($weekly, week, day)), concat('bloc/', bloc), concat('bloc/', bloc, '/', country), concat('country/', country)]), *
    FROM excerpt WHERE inside AND lead
    UNION ALL
    SELECT concat('topic/', topic), excerpt.*
    FROM excerpt JOIN current_topic AS treated USING (document_id) WHERE inside AND lead AND treated.label
),
single AS (
    SELECT *, count(*) OVER (PARTITION BY mark) AS documents FROM shown
    QUALIFY row_number() OVER (PARTITION BY mark, coalesce(sentence, document_id) ORDER BY p DESC, document_id) = 1
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY mark, label, sentence IS NULL ORDER BY p DESC, document_id) AS place FROM single
)
SELECT mark, documents, document_id, target, label, p, sentence, voice, speaker, outlet, country, bloc, day, title, url, lang
FROM ranked
QUALIFY row_number() OVER (PARTITION BY mark ORDER BY sentence IS NULL, place, label DESC, document_id) <= $most
ORDER BY mark, sentence IS NULL, place, label DESC, document_id

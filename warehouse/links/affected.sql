-- Documents that have a place already, but of which a source may be among these new ones: later, within the window, and alike.
WITH placed AS MATERIALIZED (
    SELECT document_id, day, (day, coalesce(moment, TIMESTAMPTZ '9999-12-31 00:00:00+00'), document_id) AS place,
        split_part(lang, '-', 1) AS lang, shingles, marks, document_id IN (SELECT unnest(string_split($ids, chr(10)))) AS is_new
    FROM sketch JOIN document_time USING (document_id) JOIN document USING (document_id)
    WHERE method = $method
        AND (document_id IN (SELECT unnest(string_split($ids, chr(10)))) OR document_id IN (SELECT document_id FROM story WHERE method = $method))
        AND day >= (SELECT min(day) FROM document_time WHERE document_id IN (SELECT unnest(string_split($ids, chr(10)))))
),
marked AS (
    SELECT document_id, day, place, lang, is_new, unnest(shingles) AS mark, 1 AS points FROM placed
    UNION ALL
    SELECT document_id, day, place, lang, is_new, unnest(marks), 2 FROM placed
)
SELECT later.document_id
FROM (FROM marked WHERE is_new) AS new JOIN (FROM marked WHERE NOT is_new) AS later USING (mark, points)
WHERE later.place > new.place AND later.day <= new.day + CAST($window AS INTEGER)
    AND (points = 1 OR later.lang <> new.lang)
GROUP BY later.document_id, new.document_id HAVING sum(points) >= 2

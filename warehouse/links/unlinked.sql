-- Documents with a sketch and no place in a story by this method, the earliest first.
SELECT document_id FROM sketch
ANTI JOIN (SELECT document_id FROM story WHERE method = $method) AS known USING (document_id)
JOIN document_time USING (document_id)
WHERE method = $method
ORDER BY day, moment NULLS LAST, document_id LIMIT $most

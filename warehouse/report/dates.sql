-- Where the days of the relevant documents come from: the feed, a part of the page, or only the time at which the item was first seen.
SELECT CASE WHEN entry.published_at IS NOT NULL THEN 'feed' WHEN document.published_at IS NOT NULL OR published_on IS NOT NULL
    THEN concat('page: ', coalesce(date_source, '?')) ELSE 'first seen' END AS source, count(*) AS documents,
    round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM document_current AS document JOIN entry USING (entry_id)
WHERE relevant AND NOT abstain AND day BETWEEN $since AND $until
GROUP BY ALL ORDER BY documents DESC, source

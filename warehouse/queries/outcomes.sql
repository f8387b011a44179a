-- help: What became of the items of each pass: offered = loaded + duplicate + rejected + pending; newest pass first
-- param: run text null only this pass
-- param: most int 20 at most so many passes
SELECT outcome.run_id, strftime(first_poll_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS first_poll_at,
    run.finished_at IS NOT NULL AS finished, outcome.offered, outcome.loaded, outcome.duplicate, outcome.rejected, outcome.pending,
    (SELECT string_agg(reason || ' ' || n, ', ' ORDER BY n DESC, reason) FROM (
        SELECT reason, count(*) AS n FROM entry WHERE entry.run_id = outcome.run_id AND entry.outcome = 'rejected' GROUP BY reason
    )) AS rejected_for
FROM outcome_by_run AS outcome LEFT JOIN run ON run.run_id = outcome.run_id
WHERE $run IS NULL OR outcome.run_id = $run
ORDER BY outcome.first_poll_at DESC, outcome.run_id DESC
LIMIT $most

-- The newest pass that ended, and how many seconds ago.
SELECT run_id, epoch(CAST($now AS TIMESTAMPTZ) - finished_at) AS age, epoch(finished_at - started_at) AS seconds,
    offered, loaded, duplicate, rejected, pending, memory
FROM run WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, run_id DESC LIMIT 1

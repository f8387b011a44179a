-- The feeds that are switched on and were polled, and those of them whose newest poll failed.
SELECT count(*) AS polled, count(*) FILTER (failures > 0) AS failing
FROM feed WHERE enabled AND next_poll_at IS NOT NULL AND NOT starts_with(feed_id, 'backfill:')

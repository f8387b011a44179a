-- What the stages of the newest pass took: batches, seconds of one in the mean, and of the slowest.
SELECT stage, batches, round(seconds / batches, 3) AS mean, round(slowest, 3) AS slowest, round(seconds, 3) AS seconds
FROM run_stage
WHERE run_id = (SELECT arg_max(run_id, finished_at) FROM run SEMI JOIN run_stage USING (run_id))
ORDER BY run_stage.seconds DESC, stage

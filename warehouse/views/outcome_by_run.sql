-- One row a pass: what became, up to now, of the items that its polls offered. offered is the sum of the other four.
CREATE VIEW outcome_by_run AS
WITH polled AS (
    SELECT run_id, min(polled_at) AS first_poll_at, sum(offered) AS offered, sum(duplicate) AS duplicate FROM poll GROUP BY run_id
),
decided AS (
    SELECT run_id, count(*) FILTER (outcome = 'loaded') AS loaded, count(*) FILTER (outcome = 'duplicate') AS duplicate,
        count(*) FILTER (outcome = 'rejected') AS rejected, count(*) FILTER (outcome = 'pending') AS pending
    FROM entry GROUP BY run_id
)
SELECT run_id, polled.first_poll_at, CAST(polled.offered AS BIGINT) AS offered,
    coalesce(decided.loaded, 0) AS loaded,
    CAST(coalesce(polled.duplicate, 0) + coalesce(decided.duplicate, 0) AS BIGINT) AS duplicate,
    coalesce(decided.rejected, 0) AS rejected, coalesce(decided.pending, 0) AS pending
FROM polled LEFT JOIN decided USING (run_id);
COMMENT ON VIEW outcome_by_run IS 'What became, up to now, of the items that a pass was offered';

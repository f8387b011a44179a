-- The newest version of each row of touched_outlet_day.
SELECT outlet_id, day, unnest(arg_max(struct_pack(n_seen := n_seen, polls := polls, failed_polls := failed_polls,
    complete := complete, computed_at := computed_at, load_id := load_id), load_id))
FROM outlet_day SEMI JOIN touched_outlet_day USING (outlet_id, day) GROUP BY outlet_id, day

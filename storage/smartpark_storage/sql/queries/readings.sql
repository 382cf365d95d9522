-- Writing batches, reading them back.

-- copy_readings --
COPY smartpark.reading (time, point_id, status, scaled, raw) FROM STDIN (FORMAT binary);

-- compress_on_the_way --
-- Until the end of the transaction. Plain PostgreSQL takes the setting for somebody else's and does nothing.
SELECT set_config('timescaledb.enable_direct_compress_copy', 'on', true);

-- fetch_readings --
-- Packed: one row per point, status and kind of value, with all its times and values in one piece each (see packing.py).
-- A row per reading would cost three times as much, most of it in the client. Both pieces are filled row by row, in the
-- same order whatever that is.
SELECT
    point_id, status, scaled IS NULL,
    string_agg(timestamptz_send(time), ''::bytea),
    string_agg(coalesce(int8send(scaled), float8send(coalesce(raw, 'NaN'))), ''::bytea)
FROM seen.raw_reading
WHERE point_id = ANY(%(points)s::integer[]) AND time >= %(start)s AND time < %(end)s
GROUP BY 1, 2, 3;

-- begin_packing --
-- The planner expects a group for each status it can think of, and would rather sort all readings than hash a few
-- hundred groups; and it would split among workers what costs less than gathering it. Both double the cost.
SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0;

-- end_packing --
SET LOCAL enable_sort TO DEFAULT; SET LOCAL max_parallel_workers_per_gather TO DEFAULT;

-- count_readings --
SELECT point_id, count(*)
FROM smartpark.reading
WHERE point_id = ANY(%(points)s::integer[]) AND time >= %(start)s AND time < %(end)s
GROUP BY 1;

-- fetch_newest_before --
-- Per point the newest usable reading in [low, high). The window bounds the search: without it every chunk is visited.
SELECT
    n.point_id, (extract(epoch FROM n.time) * 1000000)::bigint, coalesce(n.scaled, -9223372036854775808),
    coalesce(n.raw, 'NaN'::float8), n.status
FROM unnest(%(points)s::integer[]) AS wanted (point_id)
CROSS JOIN LATERAL (
    SELECT r.* FROM smartpark.reading AS r
    WHERE r.point_id = wanted.point_id AND r.time >= %(low)s AND r.time < %(high)s
        AND r.status >= 0 AND (r.scaled IS NOT NULL OR r.raw IS NOT NULL)
    ORDER BY r.time DESC LIMIT 1
) AS n;

-- fetch_oldest_after --
-- Per point the oldest usable reading in [low, high).
SELECT
    n.point_id, (extract(epoch FROM n.time) * 1000000)::bigint, coalesce(n.scaled, -9223372036854775808),
    coalesce(n.raw, 'NaN'::float8), n.status
FROM unnest(%(points)s::integer[]) AS wanted (point_id)
CROSS JOIN LATERAL (
    SELECT r.* FROM smartpark.reading AS r
    WHERE r.point_id = wanted.point_id AND r.time >= %(low)s AND r.time < %(high)s
        AND r.status >= 0 AND (r.scaled IS NOT NULL OR r.raw IS NOT NULL)
    ORDER BY r.time LIMIT 1
) AS n;

-- enter_batches --
-- Which of these batches are new; from now on they are known. The floor of each (edge, boot) is locked until commit, so
-- writers of one edge's batches take turns: whoever had to wait sees in RETURNING the floor as it is now, and ON
-- CONFLICT sees the numbers that the other one has entered, whatever the snapshot of this statement.
-- Forgetting goes by bounded steps: an edge that acknowledges a long backlog at once must not stall its writer.
WITH given AS MATERIALIZED (
    SELECT edge_id, boot, sequence, floor
    FROM unnest(%(edges)s::integer[], %(boots)s::bigint[], %(sequences)s::bigint[], %(floors)s::bigint[])
        AS given (edge_id, boot, sequence, floor)
),
raised AS (
    INSERT INTO smartpark.batch_floor (edge_id, boot, floor)
    SELECT edge_id, boot, max(floor) FROM given
    GROUP BY edge_id, boot
    ORDER BY edge_id, boot
    ON CONFLICT (edge_id, boot) DO UPDATE SET floor = greatest(batch_floor.floor, excluded.floor)
    RETURNING edge_id, boot, floor
),
forgotten AS (
    DELETE FROM smartpark.batch_ledger AS l
    USING raised CROSS JOIN LATERAL (
        SELECT b.sequence FROM smartpark.batch_ledger AS b
        WHERE b.edge_id = raised.edge_id AND b.boot = raised.boot AND b.sequence < raised.floor
        ORDER BY b.sequence LIMIT %(limit)s
    ) AS old
    WHERE l.edge_id = raised.edge_id AND l.boot = raised.boot AND l.sequence = old.sequence
)
INSERT INTO smartpark.batch_ledger (edge_id, boot, sequence)
SELECT DISTINCT edge_id, boot, sequence
FROM given JOIN raised USING (edge_id, boot)
WHERE sequence >= raised.floor
ORDER BY edge_id, boot, sequence
ON CONFLICT DO NOTHING
RETURNING edge_id, boot, sequence;

-- known_sequences --
SELECT boot, sequence FROM smartpark.batch_ledger WHERE edge_id = %(edge)s AND boot = ANY(%(boots)s::bigint[]);

-- upsert_latest --
INSERT INTO smartpark.latest (point_id, time, scaled, raw, status, received_at)
SELECT
    point_id, timestamptz 'epoch' + time_us * INTERVAL '1 microsecond',
    nullif(scaled, -9223372036854775808), nullif(raw, 'NaN'), status, %(received_at)s
FROM unnest(
    %(points)s::integer[], %(times)s::bigint[], %(scaled)s::bigint[], %(raw)s::float8[], %(status)s::integer[]
) AS given (point_id, time_us, scaled, raw, status)
ORDER BY point_id
ON CONFLICT (point_id) DO UPDATE
SET time = excluded.time, scaled = excluded.scaled, raw = excluded.raw, status = excluded.status,
    received_at = excluded.received_at
WHERE excluded.time > latest.time;

-- mark_stale --
-- Only counters: their energy between readings is derived.
INSERT INTO smartpark.stale_mark (point_id, span_start, span_end)
SELECT given.point_id, given.span_start, given.span_end
FROM unnest(%(points)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS given (point_id, span_start, span_end)
JOIN smartpark.point AS p ON p.point_id = given.point_id
WHERE p.kind = 'counter';

-- insert_dead_letters --
INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, point_key, reading_time, received_at)
VALUES (%(edge)s, %(topic)s, %(reason)s, %(detail)s, %(payload)s, %(point_key)s, %(reading_time)s, %(received_at)s);

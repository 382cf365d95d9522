-- Marks of what is stale: spans of counters, hours of devices whose gauges something is derived from.

-- mark_touched --
-- Steam counts by its pressure and temperature, so their readings mark the counter that stands beside them.
-- One row per point and hour that brought readings. A mark that is there is held until commit, so that whoever wants to
-- take it waits for our readings; one that somebody is taking counts as none. Neither waits for the other.
WITH touched AS MATERIALIZED (
    SELECT
        p.kind, p.measurand, p.park, p.device, p.point_id,
        timestamptz 'epoch' + given.first_us * INTERVAL '1 microsecond' AS span_start,
        timestamptz 'epoch' + given.end_us * INTERVAL '1 microsecond' AS span_end
    FROM unnest(%(points)s::integer[], %(firsts)s::bigint[], %(ends)s::bigint[]) AS given (point_id, first_us, end_us)
    JOIN smartpark.point AS p ON p.point_id = given.point_id
),
spans AS (
    INSERT INTO smartpark.stale_mark (point_id, span_start, span_end)
    SELECT point_id, min(span_start), max(span_end)
    FROM (
        SELECT point_id, span_start, span_end FROM touched WHERE kind = 'counter'
        UNION ALL
        SELECT counter.point_id, touched.span_start, touched.span_end
        FROM touched
        JOIN smartpark.point AS counter
            ON counter.park = touched.park AND counter.device = touched.device AND counter.measurand = 'steam_mass'
        WHERE touched.measurand IN ('pressure', 'temperature')
    ) AS counted
    GROUP BY point_id ORDER BY point_id
),
wanted AS MATERIALIZED (
    SELECT DISTINCT park, device, date_bin('1 hour', span_start, timestamptz 'epoch') AS hour
    FROM touched WHERE measurand = ANY(%(derived)s)
),
held AS MATERIALIZED (
    SELECT m.park, m.device, m.hour FROM smartpark.stale_hour AS m JOIN wanted USING (park, device, hour)
    FOR KEY SHARE OF m SKIP LOCKED
)
INSERT INTO smartpark.stale_hour (park, device, hour)
SELECT park, device, hour FROM wanted EXCEPT SELECT park, device, hour FROM held;

-- mark_hours_stale --
WITH spans AS (
    SELECT
        p.device,
        date_bin('1 hour', greatest(min(first.time), %(start)s), timestamptz 'epoch') AS first_hour,
        least(max(last.time), %(end)s - INTERVAL '1 microsecond') AS end_time
    FROM smartpark.point AS p
    CROSS JOIN LATERAL (
        SELECT r.time FROM smartpark.reading AS r WHERE r.point_id = p.point_id ORDER BY r.time LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
        SELECT r.time FROM smartpark.reading AS r WHERE r.point_id = p.point_id ORDER BY r.time DESC LIMIT 1
    ) AS last
    WHERE p.park = %(park)s AND p.measurand = ANY(%(derived)s)
    GROUP BY p.device
)
INSERT INTO smartpark.stale_hour (park, device, hour)
SELECT %(park)s, device, generate_series(first_hour, end_time, INTERVAL '1 hour') FROM spans;

-- mark_device_hours_stale --
INSERT INTO smartpark.stale_hour (park, device, hour)
SELECT %(park)s, given.device, %(hour)s FROM unnest(%(devices)s::text[]) AS given (device);

-- claim_stale_day --
-- The oldest day of a park with marks that nobody else is working on, and of its marks those whose writers have
-- committed. A day's lock lasts until commit. The recursion leaps from day to day of a park instead of reading all marks.
WITH RECURSIVE waiting (park, zone, day, leaps) AS (
    SELECT k.code, k.time_zone, date_trunc('day', oldest.hour, k.time_zone), 1
    FROM smartpark.park AS k
    CROSS JOIN LATERAL (
        SELECT m.hour FROM smartpark.stale_hour AS m
        WHERE m.park = k.code AND m.hour < %(closed)s ORDER BY m.hour LIMIT 1
    ) AS oldest
    UNION ALL
    SELECT w.park, w.zone, date_trunc('day', following.hour, w.zone), w.leaps + 1
    FROM waiting AS w
    CROSS JOIN LATERAL (
        SELECT m.hour FROM smartpark.stale_hour AS m
        WHERE m.park = w.park AND m.hour < %(closed)s AND m.hour >= w.day + INTERVAL '24 hours'
        ORDER BY m.hour LIMIT 1
    ) AS following
    WHERE w.leaps < %(leaps)s
),
in_order AS MATERIALIZED (
    SELECT park, day FROM waiting ORDER BY day, park
),
mine AS MATERIALIZED (
    SELECT park, day FROM in_order
    WHERE pg_try_advisory_xact_lock(7262005, hashtext(park || ' ' || day::text))
    LIMIT 1
),
marks AS MATERIALIZED (
    SELECT m.ctid AS place, mine.day
    FROM smartpark.stale_hour AS m
    JOIN mine ON m.park = mine.park AND m.hour >= mine.day AND m.hour < mine.day + INTERVAL '24 hours'
    WHERE m.hour < %(closed)s
    FOR UPDATE OF m SKIP LOCKED
)
DELETE FROM smartpark.stale_hour AS m
USING marks
WHERE m.ctid = marks.place
RETURNING
    m.park, m.device,
    (extract(epoch FROM m.hour) * 1000000)::bigint,
    (extract(epoch FROM marks.day) * 1000000)::bigint;

-- lock_day --
-- The same lock as that of a claim, waited for.
SELECT pg_advisory_xact_lock(7262005, hashtext(code || ' ' || date_trunc('day', %(day)s::timestamptz, time_zone)::text))
FROM smartpark.park WHERE code = %(park)s;

-- lock_rollup --
-- One worker at a time adds up the days of a park: it then sees the days that the others have committed.
SELECT pg_advisory_xact_lock(7262006, hashtext(%(park)s));

-- stale_hours_of_park --
-- For those who only look: hours whose readings nobody has dealt with yet.
SELECT device, (extract(EPOCH FROM hour) * 1000000)::bigint AS hour_us
FROM smartpark.stale_hour
WHERE park = %(park)s AND hour >= %(start)s AND hour < %(end)s;

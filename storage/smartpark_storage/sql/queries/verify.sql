-- Comparing the database with a truth ledger.

-- create_truth --
-- `accepted` is false for what was said without anybody's word that he took it: it may be stored, once, or not.
CREATE TEMPORARY TABLE truth (point text, time_us bigint, value text, status bigint, accepted boolean) ON COMMIT DROP;

-- copy_truth --
COPY truth (point, time_us, value, status, accepted) FROM STDIN;

-- analyze_truth --
ANALYZE truth;

-- match_truth --
-- Values are compared as exact decimals where the point has a resolution, as doubles where it has none.
CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
WITH sent AS (
    SELECT
        t.point, timestamptz 'epoch' + t.time_us * INTERVAL '1 microsecond' AS time, t.value, t.status, t.accepted,
        p.point_id, ('1e' || p.exponent)::numeric AS step
    FROM truth AS t
    LEFT JOIN smartpark.point AS p ON p.key = t.point
)
SELECT
    s.point, s.point_id, s.time, s.accepted, count(r.point_id) AS copies,
    bool_and(coalesce(
        CASE
            WHEN s.value IS NULL THEN r.scaled IS NULL AND r.raw IS NULL
            WHEN r.scaled IS NOT NULL THEN r.scaled * s.step = s.value::numeric
            ELSE r.raw = s.value::float8
        END AND (r.status::bigint & 4294967295) = s.status, false)) AS same
FROM sent AS s
LEFT JOIN smartpark.reading AS r
    ON r.point_id = s.point_id AND r.time = s.time AND r.time BETWEEN %(first)s AND %(last)s
GROUP BY s.point, s.point_id, s.time, s.accepted;

-- compare_readings --
WITH stored AS (
    SELECT count(*) AS readings FROM smartpark.reading
    WHERE time BETWEEN %(first)s AND %(last)s AND point_id IN (SELECT point_id FROM matched)
)
SELECT
    count(*) FILTER (WHERE accepted),
    coalesce(sum(copies) FILTER (WHERE accepted), 0),
    count(*) FILTER (WHERE accepted AND copies = 0),
    coalesce(sum(copies - 1) FILTER (WHERE copies > 1), 0),
    count(*) FILTER (WHERE copies > 0 AND NOT same),
    (SELECT readings FROM stored) - coalesce(sum(copies), 0)
FROM matched;

-- list_differences --
SELECT
    CASE WHEN copies = 0 THEN 'lost' WHEN copies > 1 THEN 'duplicated' ELSE 'altered' END,
    point, (extract(epoch FROM time) * 1000000)::bigint, greatest(copies - 1, 1)
FROM matched
WHERE (accepted AND copies = 0) OR copies > 1 OR (copies > 0 AND NOT same)
ORDER BY 3, 2;

-- count_dead_letters --
SELECT count(*) FROM smartpark.dead_letter WHERE %(since)s::timestamptz IS NULL OR received_at >= %(since)s;

-- computed_electricity --
-- Net purchase of the park per quarter-hour: import less export over its boundary meters, where all are complete.
WITH boundary AS (
    SELECT point_id, sign FROM park.boundary_flow
    WHERE (%(park)s::text IS NULL OR park = %(park)s) AND role = 'boundary' AND carrier = 'electricity'
        AND measurand IN ('active_energy_import', 'active_energy_export')
)
SELECT (extract(epoch FROM e.start) * 1000000)::bigint, sum(b.sign * e.amount)
FROM smartpark.interval_energy AS e
JOIN boundary AS b ON b.point_id = e.point_id
WHERE e.start >= %(start)s AND e.start < %(end)s AND e.amount IS NOT NULL AND e.completeness > 0.9999
GROUP BY e.start
HAVING count(*) = (SELECT count(*) FROM boundary);

-- computed_carbon --
SELECT (extract(epoch FROM start) * 1000000)::bigint, sum(value)
FROM smartpark.indicator
WHERE (%(park)s::text IS NULL OR park = %(park)s) AND boundary = 'park' AND indicator = 'carbon_location'
    AND grain = 'hour'
    AND superseded_at IS NULL AND value IS NOT NULL AND completeness > 0.9999
    AND start >= %(start)s AND start < %(end)s
GROUP BY start;

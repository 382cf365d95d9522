-- What the API asks. Everything here reads, from the views of the schema seen where one says it, so that scaling
-- and multipliers are told once. Whose rows it gets is decided by the rules of the tables (migration 0024).

-- api_begin_reading --
-- The transaction cannot write, and no statement in it takes longer than it may. Compiling costs more than these
-- short statements take, hence jit off.
SELECT
    set_config('transaction_read_only', 'on', true),
    set_config('statement_timeout', %(timeout_ms)s, true),
    set_config('jit', 'off', true),
    set_config('smartpark.principal', %(principal)s, true),
    set_config('role', 'smartpark_api', true);

-- api_parks --
SELECT
    p.code, p.name, p.name_en, p.region, p.terrain, p.peer_class, p.area_mu, p.time_zone, p.contract_demand_kw,
    (SELECT count(*) FROM smartpark.device AS d WHERE d.park = p.code AND d.retired_at IS NULL) AS devices,
    (SELECT count(*) FROM smartpark.point AS q WHERE q.park = p.code AND q.retired_at IS NULL) AS points
FROM smartpark.park AS p
WHERE p.retired_at IS NULL AND (%(park)s::text IS NULL OR p.code = %(park)s)
ORDER BY p.code;

-- api_devices --
SELECT code, name, name_en, kind, carrier, role, parent, enterprise, internal_transfer
FROM smartpark.device
WHERE park = %(park)s AND retired_at IS NULL
ORDER BY code;

-- api_points --
-- Each filter that is null lets everything through.
SELECT point_id, key, park, device, code, measurand, kind, unit, carrier, exponent, multiplier
FROM smartpark.point
WHERE
    retired_at IS NULL
    AND park = %(park)s
    AND (%(device)s::text IS NULL OR device = %(device)s)
    AND (%(measurand)s::text IS NULL OR measurand = %(measurand)s)
ORDER BY device, point_id;

-- api_point --
-- A retired point keeps its history, and the history its address.
SELECT point_id, key, park, device, code, measurand, kind, unit, carrier, exponent, multiplier
FROM smartpark.point
WHERE key = %(key)s;

-- api_latest --
SELECT p.key AS point, p.device, p.code, p.measurand, p.unit, l.time, l.value, l.status
FROM smartpark.point AS p
LEFT JOIN seen.latest AS l ON l.point_id = p.point_id
WHERE p.park = %(park)s AND p.retired_at IS NULL
ORDER BY p.device, p.point_id;

-- api_readings --
SELECT time, value, status
FROM seen.reading
WHERE point_id = %(point_id)s AND time >= %(start)s AND time < %(end)s
ORDER BY time
LIMIT %(limit)s;

-- api_buckets_15m --
SELECT
    time, mean_value AS mean, min_value AS low, max_value AS high, first_value AS first, last_value AS last,
    readings, bad_readings AS bad
FROM seen.reading_15m
WHERE point_id = %(point_id)s AND time >= %(start)s AND time < %(end)s
ORDER BY time;

-- api_buckets_hour --
SELECT
    time, mean_value AS mean, min_value AS low, max_value AS high, first_value AS first, last_value AS last,
    readings, bad_readings AS bad
FROM seen.reading_hour
WHERE point_id = %(point_id)s AND time >= %(start)s AND time < %(end)s
ORDER BY time;

-- api_buckets_day --
SELECT
    time, mean_value AS mean, min_value AS low, max_value AS high, first_value AS first, last_value AS last,
    readings, bad_readings AS bad
FROM seen.reading_day
WHERE point_id = %(point_id)s AND time >= %(start)s AND time < %(end)s
ORDER BY time;

-- api_quarter_means --
SELECT point_id, time, mean_value
FROM seen.reading_15m
WHERE point_id = ANY(%(points)s) AND time >= %(start)s AND time < %(end)s AND mean_value IS NOT NULL;

-- api_amounts --
-- What went through each device by measurand, and how many quarter-hours of it are known (a half-known one counts half).
-- Registers of phases and tariffs count where there is no total beside them, all of them together: as core's balance rule.
SELECT
    p.device, p.measurand, p.unit,
    CASE WHEN bool_and(e.amount IS NOT NULL) THEN sum(e.amount) END AS amount, min(coalesce(e.known, 0))::float8 AS known
FROM smartpark.point AS p
CROSS JOIN LATERAL (
    SELECT sum(amount) AS amount, sum(completeness) AS known
    FROM seen.raw_energy
    WHERE point_id = p.point_id AND start >= %(start)s AND start < %(end)s
) AS e
WHERE p.park = %(park)s AND p.kind = 'counter' AND p.retired_at IS NULL AND (
    p.code !~ ('^' || p.measurand || '_([abc]|l[123]|t[1-9]|sharp|peak|flat|valley)$') OR NOT EXISTS (
        SELECT FROM smartpark.point AS total
        WHERE total.park = p.park AND total.device = p.device AND total.measurand = p.measurand
            AND total.code = p.measurand AND total.retired_at IS NULL
    )
)
GROUP BY p.device, p.measurand, p.unit
ORDER BY p.device, min(p.point_id);

-- api_indicators --
SELECT
    indicator, grain, time AS start, value, numerator, denominator, unit, completeness::float8,
    estimated_share::float8, method, factor_set, factors, reason, revision, computed_at
FROM seen.indicator
WHERE
    park = %(park)s AND boundary = %(boundary)s
    AND (%(indicator)s::text IS NULL OR indicator = %(indicator)s)
    AND grain = %(grain)s
    AND time >= %(start)s AND time < %(end)s
ORDER BY time, indicator
LIMIT %(limit)s;

-- api_overview --
-- Newest revisions of several indicators, whichever part of the park they are of.
SELECT
    boundary, indicator, grain, time AS start, value, numerator, denominator, unit, completeness::float8,
    estimated_share::float8, method, factor_set, factors, reason, revision, computed_at
FROM seen.indicator
WHERE
    park = %(park)s AND indicator = ANY(%(indicators)s::text[]) AND grain = %(grain)s
    AND time >= %(start)s AND time < %(end)s
ORDER BY time, boundary, indicator;

-- api_published_series --
-- What is published of an indicator: of which parts of the park, for which periods.
SELECT DISTINCT boundary, grain
FROM smartpark.indicator_series
WHERE park = %(park)s AND indicator = %(indicator)s
ORDER BY grain, boundary;

-- api_edges --
SELECT
    code, online, status_at, born_at, oldest_pending, spool_readings, spool_bytes, spool_limit_bytes, hours_left,
    dropped, sources, alarms
FROM seen.edge
ORDER BY code;

-- api_dead_letter_counts --
SELECT
    reason, count(*) AS total, count(*) FILTER (WHERE time >= %(recent_from)s) AS recent, max(time) AS newest
FROM seen.dead_letter
WHERE replayed_at IS NULL
GROUP BY reason
ORDER BY total DESC, reason;

-- Sums of gauges over quarter-hours and hours, for whoever evaluates alerts: packed, one row per point. What is kept of
-- past windows (continuous aggregates) may lag behind late readings; `fresh` goes to the readings themselves.

-- window_sums_fresh --
SELECT
    point_id,
    string_agg(
        timestamptz_send(bucket) || float8send(total_scaled) || float8send(total_raw) || int8send(readings), ''::bytea
    )
FROM (
    SELECT
        point_id, date_bin(%(width)s, time, timestamptz 'epoch') AS bucket,
        coalesce(sum(scaled::float8), 0) AS total_scaled, coalesce(sum(raw), 0) AS total_raw, count(*) AS readings
    FROM smartpark.reading
    WHERE
        point_id = ANY(%(points)s::integer[]) AND time >= %(start)s AND time < %(end)s
        AND status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL AND coalesce(raw, 0) <> 'NaN'
    GROUP BY 1, 2
) AS summed
GROUP BY point_id;

-- window_sums_15m --
SELECT
    point_id,
    string_agg(
        timestamptz_send(bucket) || float8send(coalesce(total_scaled, 0)) || float8send(coalesce(total_raw, 0))
        || int8send(readings), ''::bytea
    )
FROM smartpark.reading_15m
WHERE point_id = ANY(%(points)s::integer[]) AND bucket >= %(start)s AND bucket < %(end)s AND readings > 0
GROUP BY point_id;

-- window_sums_hour --
SELECT
    point_id,
    string_agg(
        timestamptz_send(bucket) || float8send(coalesce(total_scaled, 0)) || float8send(coalesce(total_raw, 0))
        || int8send(readings), ''::bytea
    )
FROM smartpark.reading_hour
WHERE point_id = ANY(%(points)s::integer[]) AND bucket >= %(start)s AND bucket < %(end)s AND readings > 0
GROUP BY point_id;

-- points_not_derived --
-- Counters of which some quarter-hour before an instant waits to be derived.
SELECT DISTINCT point_id
FROM smartpark.stale_mark
WHERE point_id = ANY(%(points)s::integer[]) AND span_start < %(before)s;

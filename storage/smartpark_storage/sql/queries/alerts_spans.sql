-- Readings of very many points, a few of each: packed as one row, where a row per point would cost most of the time.

-- fetch_span_readings --
-- All lists are filled row by row, in the same order whatever that is; one row for each kind of value.
SELECT
    scaled IS NULL,
    string_agg(int4send(point_id), ''::bytea),
    string_agg(int4send(status), ''::bytea),
    string_agg(timestamptz_send(time), ''::bytea),
    string_agg(coalesce(int8send(scaled), float8send(coalesce(raw, 'NaN'))), ''::bytea)
FROM seen.raw_reading
WHERE point_id = ANY(%(points)s::integer[]) AND time >= %(start)s AND time < %(end)s
GROUP BY 1;

-- Of one point, some readings may be counts of steps and others doubles in the unit: those finer than the catalogue's
-- resolution are kept as they came. So both kinds are reduced apart, and only the views of the schema `park`, which
-- know the exponent, put them together. Of a first or last reading one of the two is set, the other one null.

DROP VIEW park.reading_15m, park.reading_hour, park.reading_day;
DROP VIEW smartpark.reading_day, smartpark.reading_hour, smartpark.reading_15m;

CREATE VIEW smartpark.reading_15m AS
SELECT
    public.time_bucket(INTERVAL '15 minutes', time) AS bucket,
    point_id,
    public.first(scaled, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_scaled,
    public.last(scaled, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_scaled,
    public.first(raw, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_raw,
    public.last(raw, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_raw,
    min(time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_time,
    max(time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_time,
    min(scaled) FILTER (WHERE status >= 0) AS low_scaled,
    max(scaled) FILTER (WHERE status >= 0) AS high_scaled,
    sum(scaled::float8) FILTER (WHERE status >= 0) AS total_scaled,
    min(raw) FILTER (WHERE status >= 0) AS low_raw,
    max(raw) FILTER (WHERE status >= 0) AS high_raw,
    sum(raw) FILTER (WHERE status >= 0) AS total_raw,
    count(*) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS readings,
    count(*) FILTER (WHERE status >= 1073741824) AS uncertain,
    count(*) FILTER (WHERE status < 0) AS bad
FROM smartpark.reading
GROUP BY 1, 2;

CREATE VIEW smartpark.reading_hour AS
SELECT
    public.time_bucket(INTERVAL '1 hour', bucket) AS bucket,
    point_id,
    public.first(first_scaled, first_time) AS first_scaled,
    public.last(last_scaled, last_time) AS last_scaled,
    public.first(first_raw, first_time) AS first_raw,
    public.last(last_raw, last_time) AS last_raw,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    min(low_scaled) AS low_scaled,
    max(high_scaled) AS high_scaled,
    sum(total_scaled) AS total_scaled,
    min(low_raw) AS low_raw,
    max(high_raw) AS high_raw,
    sum(total_raw) AS total_raw,
    sum(readings)::bigint AS readings,
    sum(uncertain)::bigint AS uncertain,
    sum(bad)::bigint AS bad
FROM smartpark.reading_15m
GROUP BY 1, 2;

CREATE VIEW smartpark.reading_day AS
SELECT
    public.time_bucket(INTERVAL '1 day', bucket, 'Asia/Shanghai') AS bucket,
    point_id,
    public.first(first_scaled, first_time) AS first_scaled,
    public.last(last_scaled, last_time) AS last_scaled,
    public.first(first_raw, first_time) AS first_raw,
    public.last(last_raw, last_time) AS last_raw,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    min(low_scaled) AS low_scaled,
    max(high_scaled) AS high_scaled,
    sum(total_scaled) AS total_scaled,
    min(low_raw) AS low_raw,
    max(high_raw) AS high_raw,
    sum(total_raw) AS total_raw,
    sum(readings)::bigint AS readings,
    sum(uncertain)::bigint AS uncertain,
    sum(bad)::bigint AS bad
FROM smartpark.reading_15m
GROUP BY 1, 2;

GRANT SELECT ON smartpark.reading_15m, smartpark.reading_hour, smartpark.reading_day TO smartpark_api, smartpark_ingest;

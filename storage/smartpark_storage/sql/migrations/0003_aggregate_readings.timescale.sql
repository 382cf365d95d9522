-- TimescaleDB: one chunk a day, columnstore after a week, buckets of 15 minutes, hour and day as continuous
-- aggregates with the newest readings added on the fly. Bad readings (the highest bit of the status, a negative
-- number here) are counted and left out. Hours and days stand on the quarter-hours; days are those of the park.

SELECT create_hypertable('smartpark.reading', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
ALTER TABLE smartpark.reading SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'point_id',
    timescaledb.orderby = 'time'
);
CALL add_columnstore_policy('smartpark.reading', after => INTERVAL '7 days');

-- Of one point, some readings may be counts of steps and others doubles in the unit: those finer than the catalogue's
-- resolution are kept as they came. So both kinds are reduced apart, and only the views of the schema `park`, which
-- know the exponent, put them together. Of a first or last reading one of the two is set, the other one null.
CREATE MATERIALIZED VIEW smartpark.reading_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '15 minutes', time) AS bucket,
    point_id,
    first(scaled, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_scaled,
    last(scaled, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_scaled,
    first(raw, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_raw,
    last(raw, time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_raw,
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
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW smartpark.reading_hour
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 hour', bucket) AS bucket,
    point_id,
    first(first_scaled, first_time) AS first_scaled,
    last(last_scaled, last_time) AS last_scaled,
    first(first_raw, first_time) AS first_raw,
    last(last_raw, last_time) AS last_raw,
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
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW smartpark.reading_day
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 day', bucket, 'Asia/Shanghai') AS bucket,
    point_id,
    first(first_scaled, first_time) AS first_scaled,
    last(last_scaled, last_time) AS last_scaled,
    first(first_raw, first_time) AS first_raw,
    last(last_raw, last_time) AS last_raw,
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
GROUP BY 1, 2
WITH NO DATA;

-- A policy refreshes only what changed since it last ran, so the long windows cost nothing while late data, of
-- whatever age, still gets in. They end before retention begins: a refresh of dropped days would empty them.
SELECT add_continuous_aggregate_policy('smartpark.reading_15m',
    start_offset => INTERVAL '1800 days', end_offset => INTERVAL '30 minutes', schedule_interval => INTERVAL '5 minutes');
SELECT add_continuous_aggregate_policy('smartpark.reading_hour',
    start_offset => INTERVAL '1800 days', end_offset => INTERVAL '2 hours', schedule_interval => INTERVAL '15 minutes');
SELECT add_continuous_aggregate_policy('smartpark.reading_day',
    start_offset => INTERVAL '1800 days', end_offset => INTERVAL '2 days', schedule_interval => INTERVAL '1 hour');

-- Emission records are kept for five years; the aggregates stay for good.
SELECT add_retention_policy('smartpark.reading', drop_after => INTERVAL '1850 days');

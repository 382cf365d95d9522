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

CREATE MATERIALIZED VIEW smartpark.reading_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '15 minutes', time) AS bucket,
    point_id,
    first(scaled, time) FILTER (WHERE status >= 0 AND scaled IS NOT NULL) AS first_scaled,
    last(scaled, time) FILTER (WHERE status >= 0 AND scaled IS NOT NULL) AS last_scaled,
    first(raw, time) FILTER (WHERE status >= 0 AND raw IS NOT NULL) AS first_raw,
    last(raw, time) FILTER (WHERE status >= 0 AND raw IS NOT NULL) AS last_raw,
    min(time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS first_time,
    max(time) FILTER (WHERE status >= 0 AND coalesce(scaled::float8, raw) IS NOT NULL) AS last_time,
    min(coalesce(scaled::float8, raw)) FILTER (WHERE status >= 0) AS low,
    max(coalesce(scaled::float8, raw)) FILTER (WHERE status >= 0) AS high,
    sum(coalesce(scaled::float8, raw)) FILTER (WHERE status >= 0) AS total,
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
    first(first_scaled, first_time) FILTER (WHERE first_scaled IS NOT NULL) AS first_scaled,
    last(last_scaled, last_time) FILTER (WHERE last_scaled IS NOT NULL) AS last_scaled,
    first(first_raw, first_time) FILTER (WHERE first_raw IS NOT NULL) AS first_raw,
    last(last_raw, last_time) FILTER (WHERE last_raw IS NOT NULL) AS last_raw,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    min(low) AS low,
    max(high) AS high,
    sum(total) AS total,
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
    first(first_scaled, first_time) FILTER (WHERE first_scaled IS NOT NULL) AS first_scaled,
    last(last_scaled, last_time) FILTER (WHERE last_scaled IS NOT NULL) AS last_scaled,
    first(first_raw, first_time) FILTER (WHERE first_raw IS NOT NULL) AS first_raw,
    last(last_raw, last_time) FILTER (WHERE last_raw IS NOT NULL) AS last_raw,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    min(low) AS low,
    max(high) AS high,
    sum(total) AS total,
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

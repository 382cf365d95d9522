-- Plain PostgreSQL: the functions of TimescaleDB that our SQL uses, with the same results, and views under the
-- names of the continuous aggregates. They are computed when asked: right, and slower than the product's database.

-- Weeks begin on Monday: TimescaleDB counts buckets from 2000-01-03, and those of whole months from 2000-01-01.
CREATE FUNCTION public.time_bucket(bucket_width interval, ts timestamp)
RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN extract(year FROM bucket_width) = 0 AND extract(month FROM bucket_width) = 0
            THEN date_bin(bucket_width, ts, timestamp '2000-01-03')
        ELSE timestamp '2000-01-01' + make_interval(months => (
            floor(
                ((extract(year FROM ts) - 2000) * 12 + extract(month FROM ts) - 1)
                / (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width))
            ) * (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width))
        )::integer)
    END
$$;

CREATE FUNCTION public.time_bucket(bucket_width interval, ts timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT public.time_bucket(bucket_width, ts AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
$$;

CREATE FUNCTION public.time_bucket(bucket_width interval, ts timestamptz, timezone text)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT public.time_bucket(bucket_width, ts AT TIME ZONE timezone) AT TIME ZONE timezone
$$;

-- first(value, time) and last(value, time) for the types that occur; rows without a time are left out. The bodies
-- name no type of ours: whoever may read a view need not be able to look into the schema smartpark.
DO $do$
DECLARE
    kind record;
BEGIN
    FOR kind IN SELECT * FROM (VALUES
        ('bigint', 'bigint'), ('integer', 'integer'), ('float8', 'double precision'),
        ('numeric', 'numeric'), ('text', 'text'), ('boolean', 'boolean'), ('timestamptz', 'timestamptz')
    ) AS kinds (label, type)
    LOOP
        EXECUTE format('CREATE TYPE smartpark.timed_%s AS (value %s, at timestamptz)', kind.label, kind.type);
        EXECUTE format($sql$
            CREATE FUNCTION smartpark.earlier(kept smartpark.timed_%1$s, value %2$s, at timestamptz)
            RETURNS smartpark.timed_%1$s LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
            BEGIN
                IF at IS NULL OR kept.at <= at THEN RETURN kept; END IF;
                kept.value := value;
                kept.at := at;
                RETURN kept;
            END $$;
            CREATE FUNCTION smartpark.later(kept smartpark.timed_%1$s, value %2$s, at timestamptz)
            RETURNS smartpark.timed_%1$s LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
            BEGIN
                IF at IS NULL OR kept.at >= at THEN RETURN kept; END IF;
                kept.value := value;
                kept.at := at;
                RETURN kept;
            END $$;
            CREATE FUNCTION smartpark.timed_value(kept smartpark.timed_%1$s)
            RETURNS %2$s LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT kept.value $$;
            CREATE AGGREGATE public.first(%2$s, timestamptz)
                (sfunc = smartpark.earlier, stype = smartpark.timed_%1$s, finalfunc = smartpark.timed_value);
            CREATE AGGREGATE public.last(%2$s, timestamptz)
                (sfunc = smartpark.later, stype = smartpark.timed_%1$s, finalfunc = smartpark.timed_value);
        $sql$, kind.label, kind.type);
    END LOOP;
END $do$;

-- What the view below filters by: without it every question about an hour reads all readings of its points.
CREATE INDEX reading_point_quarter
    ON smartpark.reading (point_id, public.time_bucket(INTERVAL '15 minutes', time));

-- Of one point, some readings may be counts of steps and others doubles in the unit: those finer than the catalogue's
-- resolution are kept as they came. So both kinds are reduced apart, and only the views of the schema `park`, which
-- know the exponent, put them together. Of a first or last reading one of the two is set, the other one null.
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

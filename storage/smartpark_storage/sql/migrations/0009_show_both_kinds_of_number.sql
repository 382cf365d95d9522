-- A double is in the point's unit already, whatever the exponent of the point: only counts of steps are scaled.

CREATE FUNCTION smartpark.shown(scaled double precision, raw double precision, exponent integer)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN scaled IS NULL THEN raw
        WHEN exponent IS NULL THEN scaled
        -- Dividing by a power of ten gives the double nearest to the decimal; multiplying by 0.01 does not.
        WHEN exponent < 0 THEN scaled / power(10::float8, -exponent)
        ELSE scaled * power(10::float8, exponent)
    END
$$;

CREATE OR REPLACE VIEW park.reading AS
SELECT
    r.time, r.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
    smartpark.shown(r.scaled::float8, r.raw, p.exponent) * v.multiplier AS value,
    r.status::bigint & 4294967295 AS status,
    smartpark.quality(r.status) AS quality
FROM smartpark.reading AS r
JOIN smartpark.point AS p ON p.point_id = r.point_id
JOIN smartpark.point_version AS v
    ON v.point_id = r.point_id AND v.valid_from <= r.time AND r.time < v.valid_to;

CREATE OR REPLACE VIEW park.latest AS
SELECT
    r.time, r.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
    smartpark.shown(r.scaled::float8, r.raw, p.exponent) * v.multiplier AS value,
    r.status::bigint & 4294967295 AS status,
    smartpark.quality(r.status) AS quality,
    r.received_at
FROM smartpark.latest AS r
JOIN smartpark.point AS p ON p.point_id = r.point_id
JOIN smartpark.point_version AS v
    ON v.point_id = r.point_id AND v.valid_from <= r.time AND r.time < v.valid_to;

-- The multiplier of a bucket is the one in force at its start. least() and greatest() pass over nulls.
DO $do$
DECLARE
    grain text;
BEGIN
    FOREACH grain IN ARRAY ARRAY['15m', 'hour', 'day'] LOOP
        EXECUTE format($sql$
            CREATE VIEW park.reading_%1$s AS
            SELECT
                b.bucket AS time, b.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
                smartpark.shown(b.first_scaled::float8, b.first_raw, p.exponent) * v.multiplier AS first_value,
                smartpark.shown(b.last_scaled::float8, b.last_raw, p.exponent) * v.multiplier AS last_value,
                least(smartpark.shown(b.low_scaled::float8, NULL, p.exponent), b.low_raw) * v.multiplier AS min_value,
                greatest(smartpark.shown(b.high_scaled::float8, NULL, p.exponent), b.high_raw) * v.multiplier
                    AS max_value,
                CASE WHEN b.readings > 0 THEN (
                    coalesce(smartpark.shown(b.total_scaled / b.readings, NULL, p.exponent), 0)
                    + coalesce(b.total_raw / b.readings, 0)
                ) * v.multiplier END AS mean_value,
                b.first_time, b.last_time,
                b.readings, b.uncertain AS uncertain_readings, b.bad AS bad_readings
            FROM smartpark.reading_%1$s AS b
            JOIN smartpark.point AS p ON p.point_id = b.point_id
            JOIN smartpark.point_version AS v
                ON v.point_id = b.point_id AND v.valid_from <= b.bucket AND b.bucket < v.valid_to
        $sql$, grain);
    END LOOP;
END $do$;
GRANT SELECT ON park.reading_15m, park.reading_hour, park.reading_day TO smartpark_grafana, smartpark_api, smartpark_ingest;
DROP FUNCTION smartpark.unscaled(double precision, integer);

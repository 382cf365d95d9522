-- What people and Grafana see: scaled values as doubles, primary side (the multiplier that was in force applied),
-- status as the unsigned OPC UA code. Mantissas stay behind these views.

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

CREATE FUNCTION smartpark.quality(status integer)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status < 0 THEN 'bad' WHEN status >= 1073741824 THEN 'uncertain' ELSE 'good' END
$$;

CREATE VIEW park.park AS SELECT * FROM smartpark.park;
CREATE VIEW park.sub_park AS SELECT * FROM smartpark.sub_park;
CREATE VIEW park.enterprise AS SELECT * FROM smartpark.enterprise;
CREATE VIEW park.transformer AS SELECT * FROM smartpark.transformer;
CREATE VIEW park.device AS SELECT * FROM smartpark.device;

CREATE VIEW park.point AS
SELECT
    p.point_id, p.key, p.park, p.device, p.code, p.measurand, p.kind, p.unit, p.carrier, p.multiplier,
    d.name AS device_name, d.name_en AS device_name_en, d.kind AS device_kind, d.role, d.sub_park, d.enterprise,
    d.parent, d.transformer, d.internal_transfer, p.retired_at
FROM smartpark.point AS p
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device;

-- Points in service that make up a park's balance, each with its sign in the sum: energy registers make up amounts,
-- active power the load. The rule, with its reasons, is that of core's `balance_rule`; a test holds the two together.
CREATE VIEW park.boundary_flow AS
WITH metered AS (
    SELECT
        p.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier, d.role,
        d.role = 'generation' AND bool_or(p.measurand = 'active_energy_export') OVER of_device AS is_reversed,
        p.code = 'active_power'
            OR NOT bool_or(p.measurand = 'active_power' AND p.code = 'active_power') OVER of_device AS is_whole
    FROM smartpark.point AS p
    JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
    WHERE p.retired_at IS NULL AND d.role IN ('boundary', 'generation') AND NOT d.internal_transfer
    WINDOW of_device AS (PARTITION BY p.park, p.device)
)
SELECT
    point_id, point, park, device, measurand, unit, carrier, role,
    CASE
        WHEN measurand = 'active_power' THEN CASE WHEN is_reversed THEN -1 ELSE 1 END
        WHEN role = 'boundary' THEN CASE WHEN measurand = 'active_energy_export' THEN -1 ELSE 1 END
        ELSE CASE WHEN is_reversed AND measurand <> 'active_energy_export' THEN -1 ELSE 1 END
    END AS sign
FROM metered
WHERE CASE
    WHEN measurand = 'active_power' THEN carrier IN ('electricity', 'photovoltaic') AND is_whole
    WHEN carrier IN ('water', 'compressed_air', 'oxygen', 'nitrogen') THEN false
    WHEN measurand IN ('active_energy_import', 'active_energy_export') THEN true
    ELSE role = 'boundary' AND measurand IN ('gas_volume', 'heat_energy', 'steam_mass', 'fuel_mass')
END;

CREATE VIEW park.reading AS
SELECT
    r.time, r.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
    smartpark.shown(r.scaled::float8, r.raw, p.exponent) * v.multiplier AS value,
    r.status::bigint & 4294967295 AS status,
    smartpark.quality(r.status) AS quality
FROM smartpark.reading AS r
JOIN smartpark.point AS p ON p.point_id = r.point_id
JOIN smartpark.point_version AS v
    ON v.point_id = r.point_id AND v.valid_from <= r.time AND r.time < v.valid_to;

CREATE VIEW park.latest AS
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

CREATE VIEW park.interval_energy AS
SELECT
    e.start AS time, e.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier,
    d.role, d.enterprise, d.sub_park, d.internal_transfer,
    e.amount, e.completeness, e.estimated_share, e.flags
FROM smartpark.interval_energy AS e
JOIN smartpark.point AS p ON p.point_id = e.point_id
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device;

CREATE VIEW park.indicator AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at
FROM smartpark.indicator
WHERE superseded_at IS NULL;

CREATE VIEW park.indicator_revision AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, superseded_at
FROM smartpark.indicator;

CREATE VIEW park.edge AS
SELECT
    e.edge_id, e.code, coalesce(s.online, false) AS online, s.software, s.points, s.born_at, s.died_at, s.status_at,
    (s.status ->> 'spool_readings')::bigint AS spool_readings,
    (s.status ->> 'spool_bytes')::bigint AS spool_bytes,
    (s.status ->> 'spool_limit_bytes')::bigint AS spool_limit_bytes,
    to_timestamp((s.status ->> 'oldest_pending')::float8 / 1e6) AS oldest_pending,
    (s.status ->> 'hours_left')::float8 AS hours_left,
    (s.status ->> 'accepted')::bigint AS accepted,
    (s.status ->> 'duplicates')::bigint AS duplicates,
    (s.status ->> 'dropped')::bigint AS dropped,
    to_timestamp((s.status ->> 'dropped_from')::float8 / 1e6) AS dropped_from,
    to_timestamp((s.status ->> 'dropped_to')::float8 / 1e6) AS dropped_to,
    (s.status ->> 'dead_letters')::bigint AS dead_letters,
    s.status -> 'sources' AS sources
FROM smartpark.edge AS e
LEFT JOIN smartpark.edge_state AS s ON s.edge_id = e.edge_id;

CREATE VIEW park.dead_letter AS
SELECT
    received_at AS time, dead_letter_id, edge, topic, reason, detail, point_key AS point, reading_time,
    octet_length(payload) AS payload_bytes, replayed_at
FROM smartpark.dead_letter;

CREATE VIEW park.catalogue_version AS
SELECT loaded_at AS time, version_id, park, digest, source, loaded_by FROM smartpark.catalogue_version;

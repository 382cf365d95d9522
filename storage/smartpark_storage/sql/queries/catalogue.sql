-- Loading and showing park catalogues. Each entity has the same three statements.

-- stored_park --
-- From whom it is pulled is not the catalogue's to say.
SELECT code, to_jsonb(e) - '{retired_at,source}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.park AS e WHERE code = %(park)s ORDER BY code;

-- upsert_park --
INSERT INTO smartpark.park (
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, contract_demand_kw,
    electricity_factor_scope
)
SELECT
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, contract_demand_kw,
    electricity_factor_scope
FROM jsonb_populate_recordset(NULL::smartpark.park, %(rows)s)
ON CONFLICT (code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, region = excluded.region, terrain = excluded.terrain,
    peer_class = excluded.peer_class, area_mu = excluded.area_mu, time_zone = excluded.time_zone, contract_demand_kw
    = excluded.contract_demand_kw, electricity_factor_scope = excluded.electricity_factor_scope, retired_at = NULL;

-- retire_park --
UPDATE smartpark.park SET retired_at = %(at)s WHERE code = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_sub_park --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.sub_park AS e WHERE park = %(park)s ORDER BY code;

-- upsert_sub_park --
INSERT INTO smartpark.sub_park (
    park, code, name, name_en, area_mu, terrain
)
SELECT
    park, code, name, name_en, area_mu, terrain
FROM jsonb_populate_recordset(NULL::smartpark.sub_park, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, area_mu = excluded.area_mu, terrain = excluded.terrain,
    retired_at = NULL;

-- retire_sub_park --
UPDATE smartpark.sub_park SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_enterprise --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.enterprise AS e WHERE park = %(park)s ORDER BY code;

-- upsert_enterprise --
INSERT INTO smartpark.enterprise (
    park, code, name, name_en, uscc, sub_park, is_above_scale, industry, area_mu, contract_demand_kw
)
SELECT
    park, code, name, name_en, uscc, sub_park, is_above_scale, industry, area_mu, contract_demand_kw
FROM jsonb_populate_recordset(NULL::smartpark.enterprise, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, uscc = excluded.uscc, sub_park = excluded.sub_park,
    is_above_scale = excluded.is_above_scale, industry = excluded.industry, area_mu = excluded.area_mu,
    contract_demand_kw = excluded.contract_demand_kw, retired_at = NULL;

-- retire_enterprise --
UPDATE smartpark.enterprise SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_transformer --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.transformer AS e WHERE park = %(park)s ORDER BY code;

-- upsert_transformer --
INSERT INTO smartpark.transformer (
    park, code, name, rated_kva, voltage_kv, sub_park, enterprise, feeder, station
)
SELECT
    park, code, name, rated_kva, voltage_kv, sub_park, enterprise, feeder, station
FROM jsonb_populate_recordset(NULL::smartpark.transformer, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, rated_kva = excluded.rated_kva, voltage_kv = excluded.voltage_kv, sub_park =
    excluded.sub_park, enterprise = excluded.enterprise, feeder = excluded.feeder, station = excluded.station,
    retired_at = NULL;

-- retire_transformer --
UPDATE smartpark.transformer SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_device --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.device AS e WHERE park = %(park)s ORDER BY code;

-- upsert_device --
INSERT INTO smartpark.device (
    park, code, name, name_en, kind, carrier, role, sub_park, enterprise, parent, transformer,
    internal_transfer, ct_ratio, pt_ratio, model, installed_on, accuracy_class, is_feedstock, nominal_voltage_v,
    furnace, o2_reference_pct, emission_limit, pressure_reference
)
SELECT
    park, code, name, name_en, kind, carrier, role, sub_park, enterprise, parent, transformer,
    internal_transfer, ct_ratio, pt_ratio, model, installed_on, accuracy_class, is_feedstock, nominal_voltage_v,
    furnace, o2_reference_pct, emission_limit, pressure_reference
FROM jsonb_populate_recordset(NULL::smartpark.device, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, kind = excluded.kind, carrier = excluded.carrier, role =
    excluded.role, sub_park = excluded.sub_park, enterprise = excluded.enterprise, parent = excluded.parent,
    transformer = excluded.transformer, internal_transfer = excluded.internal_transfer, ct_ratio =
    excluded.ct_ratio, pt_ratio = excluded.pt_ratio, model = excluded.model, installed_on =
    excluded.installed_on, accuracy_class = excluded.accuracy_class, is_feedstock = excluded.is_feedstock,
    nominal_voltage_v = excluded.nominal_voltage_v, furnace = excluded.furnace, o2_reference_pct =
    excluded.o2_reference_pct, emission_limit = excluded.emission_limit,
    pressure_reference = excluded.pressure_reference, retired_at = NULL;

-- retire_device --
UPDATE smartpark.device SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_feeder --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.feeder AS e WHERE park = %(park)s ORDER BY code;

-- upsert_feeder --
INSERT INTO smartpark.feeder (
    park, code, name, rated_kva, main_transformer, sub_park
)
SELECT
    park, code, name, rated_kva, main_transformer, sub_park
FROM jsonb_populate_recordset(NULL::smartpark.feeder, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, rated_kva = excluded.rated_kva, main_transformer = excluded.main_transformer, sub_park
    = excluded.sub_park, retired_at = NULL;

-- retire_feeder --
UPDATE smartpark.feeder SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_contract --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.contract AS e WHERE park = %(park)s ORDER BY code;

-- upsert_contract --
INSERT INTO smartpark.contract (
    park, code, enterprise, valid_from, valid_to, basic_charge, contract_demand_kw, capacity_kva,
    power_factor_standard, price_plan, settlement_day
)
SELECT
    park, code, enterprise, valid_from, valid_to, basic_charge, contract_demand_kw, capacity_kva,
    power_factor_standard, price_plan, settlement_day
FROM jsonb_populate_recordset(NULL::smartpark.contract, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    enterprise = excluded.enterprise, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    basic_charge = excluded.basic_charge, contract_demand_kw = excluded.contract_demand_kw, capacity_kva =
    excluded.capacity_kva, power_factor_standard = excluded.power_factor_standard, price_plan =
    excluded.price_plan, settlement_day = excluded.settlement_day, retired_at = NULL;

-- retire_contract --
UPDATE smartpark.contract SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_virtual_meter --
SELECT code, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.virtual_meter AS e WHERE park = %(park)s ORDER BY code;

-- upsert_virtual_meter --
INSERT INTO smartpark.virtual_meter (
    park, code, name, name_en, expression, carrier, measurand, role, sub_park, enterprise
)
SELECT
    park, code, name, name_en, expression, carrier, measurand, role, sub_park, enterprise
FROM jsonb_populate_recordset(NULL::smartpark.virtual_meter, %(rows)s)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, expression = excluded.expression, carrier =
    excluded.carrier, measurand = excluded.measurand, role = excluded.role, sub_park = excluded.sub_park,
    enterprise = excluded.enterprise, retired_at = NULL;

-- retire_virtual_meter --
UPDATE smartpark.virtual_meter SET retired_at = %(at)s WHERE park = %(park)s AND code = ANY(%(keys)s::text[]);

-- stored_meter_change --
SELECT key, to_jsonb(e) - '{retired_at}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.meter_change AS e WHERE park = %(park)s ORDER BY key;

-- upsert_meter_change --
INSERT INTO smartpark.meter_change (
    park, key, device, point, at, final, initial
)
SELECT
    park, key, device, point, at, final, initial
FROM jsonb_populate_recordset(NULL::smartpark.meter_change, %(rows)s)
ON CONFLICT (park, key) DO UPDATE SET
    device = excluded.device, point = excluded.point, at = excluded.at, final = excluded.final, initial =
    excluded.initial, retired_at = NULL;

-- retire_meter_change --
UPDATE smartpark.meter_change SET retired_at = %(at)s WHERE park = %(park)s AND key = ANY(%(keys)s::text[]);

-- stored_point --
SELECT key, to_jsonb(e) - '{retired_at,point_id}'::text[] || jsonb_build_object('retired', retired_at IS NOT NULL)
FROM smartpark.point AS e WHERE park = %(park)s ORDER BY key;

-- upsert_point --
INSERT INTO smartpark.point (
    key, park, device, code, measurand, kind, unit, carrier, exponent, register_modulus, multiplier, max_rate
)
SELECT
    key, park, device, code, measurand, kind, unit, carrier, exponent, register_modulus, multiplier, max_rate
FROM jsonb_populate_recordset(NULL::smartpark.point, %(rows)s)
ON CONFLICT (key) DO UPDATE SET
    park = excluded.park, device = excluded.device, code = excluded.code, measurand = excluded.measurand, kind =
    excluded.kind, unit = excluded.unit, carrier = excluded.carrier, exponent = excluded.exponent, register_modulus
    = excluded.register_modulus, multiplier = excluded.multiplier, max_rate = excluded.max_rate,
    retired_at = NULL;

-- retire_point --
UPDATE smartpark.point SET retired_at = %(at)s WHERE park = %(park)s AND key = ANY(%(keys)s::text[]);

-- lock_catalogue --
-- One load at a time.
SELECT pg_advisory_xact_lock(7262002);

-- points_with_readings --
SELECT p.key FROM smartpark.point AS p JOIN smartpark.latest AS l ON l.point_id = p.point_id
WHERE p.key = ANY(%(keys)s::text[]) ORDER BY p.key;

-- latest_catalogue_digest --
SELECT digest FROM smartpark.catalogue_version WHERE park = %(park)s ORDER BY version_id DESC LIMIT 1;

-- add_catalogue_version --
INSERT INTO smartpark.catalogue_version (park, digest, source, loaded_by, loaded_at, document)
VALUES (%(park)s, %(digest)s, %(source)s, %(loaded_by)s, %(loaded_at)s, %(document)s)
RETURNING version_id;

-- record_changes --
INSERT INTO smartpark.entity_change (version_id, entity, key, change, before, after)
SELECT %(version)s, entity, key, change, nullif(before, 'null'), nullif(after, 'null')
FROM jsonb_to_recordset(%(rows)s) AS given (entity text, key text, change text, before jsonb, after jsonb);

-- bump_registry --
UPDATE smartpark.registry_state SET version = version + 1 RETURNING version;

-- notify_registry --
SELECT pg_notify('smartpark_registry', %(version)s);

-- drop_versions_without_readings --
-- Nothing was ever scaled by them.
DELETE FROM smartpark.point_version AS v
USING smartpark.point AS p
WHERE p.point_id = v.point_id AND p.park = %(park)s AND %(at)s::timestamptz IS NOT NULL
    AND NOT EXISTS (SELECT FROM smartpark.latest AS l WHERE l.point_id = p.point_id);

-- mark_changed_versions_stale --
-- A change that reaches back over stored readings: what was derived from them must be derived again.
INSERT INTO smartpark.stale_mark (point_id, span_start, span_end)
SELECT p.point_id, %(at)s, l.time + INTERVAL '1 microsecond'
FROM smartpark.point AS p
JOIN smartpark.latest AS l ON l.point_id = p.point_id AND l.time >= %(at)s
WHERE p.park = %(park)s AND p.kind = 'counter' AND p.retired_at IS NULL AND EXISTS (
    SELECT FROM smartpark.point_version AS v
    WHERE v.point_id = p.point_id AND v.valid_to > %(at)s
        AND (v.multiplier, v.register_modulus) IS DISTINCT FROM (p.multiplier, p.register_modulus)
);

-- mark_changed_gauges_stale --
INSERT INTO smartpark.stale_hour (park, device, hour)
SELECT DISTINCT p.park, p.device, generate_series(date_bin('1 hour', %(at)s, timestamptz 'epoch'), l.time, '1 hour')
FROM smartpark.point AS p
JOIN smartpark.latest AS l ON l.point_id = p.point_id AND l.time >= %(at)s
WHERE p.park = %(park)s AND p.measurand = ANY(%(derived)s) AND p.retired_at IS NULL AND EXISTS (
    SELECT FROM smartpark.point_version AS v
    WHERE v.point_id = p.point_id AND v.valid_to > %(at)s AND v.multiplier IS DISTINCT FROM p.multiplier
);

-- mark_meter_changes_stale --
-- The instant is enough: derive reaches from the reading before it to the one after.
INSERT INTO smartpark.stale_mark (point_id, span_start, span_end)
SELECT p.point_id, given.at, given.at + INTERVAL '1 microsecond'
FROM jsonb_to_recordset(%(rows)s) AS given (device text, point text, at timestamptz)
JOIN smartpark.point AS p ON p.park = %(park)s AND p.device = given.device AND p.code = given.point
WHERE p.kind = 'counter';

-- drop_later_versions --
DELETE FROM smartpark.point_version AS v
USING smartpark.point AS p
WHERE p.point_id = v.point_id AND p.park = %(park)s AND p.retired_at IS NULL AND v.valid_from >= %(at)s;

-- close_changed_versions --
-- Either the version ended where a dropped one began, and goes on; or it ends now, because the catalogue differs.
UPDATE smartpark.point_version AS v
SET valid_to = CASE
    WHEN (v.multiplier, v.register_modulus) IS NOT DISTINCT FROM (p.multiplier, p.register_modulus)
        THEN 'infinity'::timestamptz
    ELSE %(at)s
END
FROM smartpark.point AS p
WHERE p.point_id = v.point_id AND p.park = %(park)s AND p.retired_at IS NULL
    AND v.valid_from < %(at)s AND v.valid_to >= %(at)s
    AND (
        v.valid_to < 'infinity'
        OR (v.multiplier, v.register_modulus) IS DISTINCT FROM (p.multiplier, p.register_modulus)
    );

-- add_changed_versions --
-- The first version of a point holds from the epoch on: readings may be older than the catalogue.
INSERT INTO smartpark.point_version (point_id, valid_from, multiplier, register_modulus)
SELECT
    p.point_id,
    CASE
        WHEN EXISTS (SELECT FROM smartpark.point_version AS v WHERE v.point_id = p.point_id) THEN %(at)s
        ELSE timestamptz '1970-01-01T00:00:00Z'
    END,
    p.multiplier, p.register_modulus
FROM smartpark.point AS p
WHERE p.park = %(park)s AND p.retired_at IS NULL AND NOT EXISTS (
    SELECT FROM smartpark.point_version AS v WHERE v.point_id = p.point_id AND v.valid_to = 'infinity'
);

-- catalogue_versions --
SELECT version_id, park, loaded_at, loaded_by, source, digest FROM smartpark.catalogue_version
ORDER BY version_id DESC LIMIT %(limit)s;

-- catalogue_summary --
SELECT
    k.code AS park, k.name, k.name_en,
    (SELECT count(*) FROM smartpark.enterprise AS e WHERE e.park = k.code AND e.retired_at IS NULL) AS enterprises,
    (SELECT count(*) FROM smartpark.device AS d WHERE d.park = k.code AND d.retired_at IS NULL) AS devices,
    (SELECT count(*) FROM smartpark.point AS p WHERE p.park = k.code AND p.retired_at IS NULL) AS points,
    (SELECT count(*) FROM smartpark.point AS p WHERE p.park = k.code AND p.retired_at IS NOT NULL) AS retired_points
FROM smartpark.park AS k
ORDER BY k.code;

-- catalogue_changes --
SELECT c.version_id, v.loaded_at, v.loaded_by, c.entity, c.key, c.change, c.before, c.after
FROM smartpark.entity_change AS c
JOIN smartpark.catalogue_version AS v ON v.version_id = c.version_id
WHERE c.key = %(key)s OR starts_with(c.key, %(key)s || '/')
ORDER BY c.change_id;

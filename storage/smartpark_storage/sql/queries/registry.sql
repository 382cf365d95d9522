-- Points and edges, for those who write and compute.

-- registry_version --
SELECT version FROM smartpark.registry_state;

-- registry_points --
-- Nothing is ever deleted, so device and point have one change `add` each. greatest() passes over nulls.
WITH added AS (
    SELECT
        c.entity, c.key, c.version_id, v.loaded_at,
        (SELECT min(w.version_id) FROM smartpark.catalogue_version AS w WHERE w.park = v.park) AS first_version
    FROM smartpark.entity_change AS c
    JOIN smartpark.catalogue_version AS v ON v.version_id = c.version_id
    WHERE c.change = 'add' AND c.entity IN ('device', 'point')
)
SELECT
    p.point_id, p.key, p.park, p.device, p.code, p.measurand, p.kind, p.unit, p.carrier, p.exponent,
    p.register_modulus, p.multiplier, p.max_rate, d.role, d.internal_transfer, d.parent, d.sub_park, d.enterprise,
    d.transformer, d.kind, d.accuracy_class, d.is_feedstock, d.nominal_voltage_v, d.furnace, d.o2_reference_pct,
    d.emission_limit,
    (extract(epoch FROM greatest(
        coalesce(
            d.installed_on::timestamp AT TIME ZONE k.time_zone,
            CASE WHEN da.version_id > da.first_version THEN da.loaded_at END
        ),
        CASE WHEN pa.version_id > da.version_id THEN pa.loaded_at END
    )) * 1000000)::bigint,
    (extract(epoch FROM p.retired_at) * 1000000)::bigint
FROM smartpark.point AS p
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
JOIN smartpark.park AS k ON k.code = p.park
LEFT JOIN added AS da ON da.entity = 'device' AND da.key = d.park || '/' || d.code
LEFT JOIN added AS pa ON pa.entity = 'point' AND pa.key = p.key
ORDER BY p.point_id;

-- point_versions --
SELECT
    point_id, (extract(epoch FROM valid_from) * 1000000)::bigint, multiplier, coalesce(register_modulus, 0)
FROM smartpark.point_version
WHERE point_id = ANY(%(points)s::integer[])
ORDER BY point_id, valid_from;

-- current_catalogue --
SELECT document FROM smartpark.catalogue_version WHERE park = %(park)s ORDER BY version_id DESC LIMIT 1;

-- meter_changes --
SELECT p.point_id, (extract(epoch FROM c.at) * 1000000)::bigint, c.final, c.initial
FROM smartpark.meter_change AS c
JOIN smartpark.point AS p ON p.park = c.park AND p.device = c.device AND p.code = c.point
WHERE p.point_id = ANY(%(points)s::integer[]) AND c.retired_at IS NULL
ORDER BY p.point_id, c.at;

-- find_edge --
SELECT edge_id FROM smartpark.edge WHERE code = %(code)s;

-- add_edge --
INSERT INTO smartpark.edge (code) VALUES (%(code)s) ON CONFLICT DO NOTHING;

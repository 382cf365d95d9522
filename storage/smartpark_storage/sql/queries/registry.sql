-- Points and edges, for those who write and compute.

-- registry_version --
SELECT version FROM smartpark.registry_state;

-- registry_points --
SELECT
    p.point_id, p.key, p.park, p.device, p.code, p.measurand, p.kind, p.unit, p.carrier, p.exponent,
    p.register_modulus, p.multiplier, d.role, d.internal_transfer, d.parent,
    (extract(epoch FROM p.retired_at) * 1000000)::bigint
FROM smartpark.point AS p
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
ORDER BY p.point_id;

-- point_versions --
SELECT
    point_id, (extract(epoch FROM valid_from) * 1000000)::bigint, multiplier, coalesce(register_modulus, 0)
FROM smartpark.point_version
WHERE point_id = ANY(%(points)s::integer[])
ORDER BY point_id, valid_from;

-- find_edge --
SELECT edge_id FROM smartpark.edge WHERE code = %(code)s;

-- add_edge --
INSERT INTO smartpark.edge (code) VALUES (%(code)s) ON CONFLICT DO NOTHING;

-- What forecasts and headroom ask: the network's nodes, the meters on them, and a year or two of quarter-hours.
-- Quarter-hours come as one row of arrays per point, numbered from the start of the span.

-- load_nodes --
-- Transformers and feeders in service, and what each hangs on.
SELECT
    'transformer' AS kind, code, name, rated_kva, voltage_kv, enterprise, sub_park, feeder AS upstream, station
FROM smartpark.transformer
WHERE park = %(park)s AND retired_at IS NULL
UNION ALL
SELECT 'feeder', code, name, rated_kva, NULL, NULL, sub_park, main_transformer, NULL
FROM smartpark.feeder
WHERE park = %(park)s AND retired_at IS NULL
ORDER BY kind, code;

-- load_points --
-- Electric power and energy of the meters in service.
SELECT
    p.point_id, p.device, p.code, p.measurand, d.parent, d.transformer, d.role, d.carrier, d.internal_transfer
FROM smartpark.point AS p
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
WHERE
    p.park = %(park)s AND p.retired_at IS NULL AND d.retired_at IS NULL
    AND d.carrier IN ('electricity', 'photovoltaic')
    AND p.measurand IN ('active_power', 'reactive_power', 'active_energy_import', 'active_energy_export')
ORDER BY p.device, p.point_id;

-- load_power_quarters --
-- Means of gauges.
SELECT
    point_id,
    array_agg((extract(epoch FROM time - %(start)s) / 900)::integer ORDER BY time) AS quarters,
    array_agg(mean_value ORDER BY time) AS amounts
FROM seen.reading_15m
WHERE
    point_id = ANY(%(points)s::integer[]) AND time >= %(start)s AND time < %(end)s AND mean_value IS NOT NULL
GROUP BY point_id;

-- load_energy_quarters --
-- Amounts of counters, where the whole quarter-hour is known.
SELECT
    point_id,
    array_agg((extract(epoch FROM start - %(start)s) / 900)::integer ORDER BY start) AS quarters,
    array_agg(amount ORDER BY start) AS amounts
FROM seen.raw_energy
WHERE
    point_id = ANY(%(points)s::integer[]) AND start >= %(start)s AND start < %(end)s
    AND amount IS NOT NULL AND completeness > 0.999
GROUP BY point_id;

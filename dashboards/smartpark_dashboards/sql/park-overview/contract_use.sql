-- Load now over the demand that all contracts in force allow; unknown without a contract or with a silent meter.
WITH load AS (
    SELECT CASE WHEN bool_and(l.value IS NOT NULL AND l.quality <> 'bad') THEN sum(l.value) END AS kw
    FROM park.boundary_flow AS p
    LEFT JOIN park.latest AS l ON l.point_id = p.point_id AND l.time > now() - INTERVAL '15 minutes'
    WHERE p.park = '$park' AND p.role = 'boundary' AND p.carrier = 'electricity' AND p.measurand = 'active_power'
)
SELECT 100.0 * load.kw / nullif(p.contract_demand_kw, 0) AS value
FROM park.park AS p, load
WHERE p.code = '$park'

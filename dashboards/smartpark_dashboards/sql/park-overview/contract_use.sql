-- Load now, and the settlement month's maximum demand, over what the contract allows; unknown without a contract, the
-- load with a silent meter too.
WITH load AS (
    SELECT CASE WHEN bool_and(l.value IS NOT NULL AND l.quality <> 'bad') THEN sum(l.value) END AS kw
    FROM park.boundary_flow AS p
    LEFT JOIN park.latest AS l ON l.point_id = p.point_id AND l.time > now() - INTERVAL '15 minutes'
    WHERE p.park = '$park' AND p.role = 'boundary' AND p.carrier = 'electricity' AND p.measurand = 'active_power'
)
SELECT
    100.0 * load.kw / nullif(p.contract_demand_kw, 0) AS value, 100.0 * peak.value / nullif(p.contract_demand_kw, 0) AS month
FROM park.park AS p
CROSS JOIN load
LEFT JOIN LATERAL (
    {{shared/maximum_demand}}
) AS peak ON true
WHERE p.code = '$park'

-- Boundary load against what the contract and the transformers allow, and above what demand is charged extra. Means of 15 minutes, beyond 14 days of an hour; a
-- bucket in which one meter is missing is left out rather than too low.
WITH meter AS (
    SELECT point_id FROM park.boundary_flow
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
), bucket AS (
    SELECT time, mean_value FROM park.reading_15m
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '14 days'
    UNION ALL
    SELECT time, mean_value FROM park.reading_hour
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '14 days'
)
SELECT
    time AS "time", sum(mean_value) AS load_kw,
    (SELECT contract_demand_kw FROM park.park WHERE code = '$park') AS contract_kw,
    (SELECT {{rule demand_tolerance}} * contract_demand_kw FROM park.park WHERE code = '$park') AS charged_kw,
    (SELECT sum(rated_kva) FROM park.transformer WHERE park = '$park' AND retired_at IS NULL) AS rated_kva
FROM bucket
GROUP BY time
HAVING count(mean_value) = (SELECT count(*) FROM meter)
ORDER BY time

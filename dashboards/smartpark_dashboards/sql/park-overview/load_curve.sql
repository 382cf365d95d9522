-- Boundary load per 15 minutes, beyond 14 days per hour, and that of the day before laid over it; a bucket in which one
-- meter is missing is left out rather than too low.
WITH meter AS (
    SELECT point_id FROM park.boundary_flow
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
), bucket AS (
    SELECT time, mean_value FROM park.reading_15m
    WHERE point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND time BETWEEN $__timeFrom()::timestamptz - INTERVAL '24 hours' AND $__timeTo()::timestamptz
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '14 days'
    UNION ALL
    SELECT time, mean_value FROM park.reading_hour
    WHERE point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND time BETWEEN $__timeFrom()::timestamptz - INTERVAL '24 hours' AND $__timeTo()::timestamptz
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '14 days'
), load AS (
    SELECT time, sum(mean_value) AS kw
    FROM bucket
    GROUP BY time
    HAVING count(mean_value) = (SELECT count(*) FROM meter)
)
SELECT time AS "time", max(load_kw) AS load_kw, max(day_before_kw) AS day_before_kw
FROM (
    SELECT time, kw AS load_kw, NULL::float8 AS day_before_kw FROM load
    UNION ALL
    SELECT time + INTERVAL '24 hours', NULL, kw FROM load
) AS both_days
WHERE time BETWEEN $__timeFrom()::timestamptz AND $__timeTo()::timestamptz
GROUP BY time
ORDER BY time

-- Boundary load per 15 minutes, and that of the day before laid over it; a bucket in which one meter is missing is left
-- out rather than too low.
WITH meter AS (
    SELECT point_id FROM park.point
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
      AND retired_at IS NULL
), load AS (
    SELECT r.time, sum(r.mean_value) AS kw
    FROM park.reading_15m AS r
    WHERE r.point_id IN (SELECT point_id FROM meter)
      AND r.time BETWEEN $__timeFrom()::timestamptz - INTERVAL '24 hours' AND $__timeTo()::timestamptz
    GROUP BY r.time
    HAVING count(r.mean_value) = (SELECT count(*) FROM meter)
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

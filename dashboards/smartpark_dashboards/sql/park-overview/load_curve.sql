-- Boundary load per 15 minutes; a bucket in which one meter is missing is left out rather than too low.
SELECT r.time AS "time", sum(r.mean_value) AS "负荷"
FROM park.reading_15m AS r
JOIN park.point AS p ON p.point_id = r.point_id
WHERE $__timeFilter(r.time)
  AND p.park = '$park' AND p.role = 'boundary' AND p.carrier = 'electricity' AND p.measurand = 'active_power'
GROUP BY r.time
HAVING count(r.mean_value) = (
    SELECT count(*) FROM park.point AS b
    WHERE b.park = '$park' AND b.role = 'boundary' AND b.carrier = 'electricity'
      AND b.measurand = 'active_power' AND b.retired_at IS NULL
)
ORDER BY r.time

-- What the chosen meter's registers counted each day, as far as it is known, by point.
SELECT e.time AS "time", split_part(e.point, '/', 3) || ' [' || e.unit || ']' AS metric, e.amount AS value
FROM park.energy_day AS e
WHERE $__timeFilter(e.time) AND e.point_id = ANY (ARRAY(
    SELECT p.point_id FROM park.point AS p
    WHERE p.park || '/' || p.device = '$meter' AND p.kind = 'counter' AND p.retired_at IS NULL
))
ORDER BY 1, 2

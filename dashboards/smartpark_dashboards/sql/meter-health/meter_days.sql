-- How complete the registers of each meter were, day by day, over the last 31 days of the range at most: the forty meters
-- with the least. A day is as complete as the least of the meter's registers; of today only the hours that are over count.
WITH day AS (
    SELECT e.time, e.park || '/' || e.device AS meter, min(e.completeness) AS completeness
    FROM park.energy_day AS e
    WHERE e.time >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - INTERVAL '31 days')
      AND e.time <= $__timeTo()::timestamptz
      AND e.point_id = ANY (ARRAY(
          SELECT p.point_id FROM park.point AS p
          WHERE p.park IN ($park) AND p.retired_at IS NULL AND coalesce(p.sub_park, '-') IN ($zone)
            AND p.device_kind IN ($type) AND p.kind = 'counter'
      ))
    GROUP BY e.time, e.park, e.device
), worst AS (
    SELECT meter FROM day GROUP BY meter ORDER BY avg(completeness), meter LIMIT 40
)
SELECT time AS "time", meter AS metric, 100.0 * completeness AS value
FROM day
WHERE meter IN (SELECT meter FROM worst)
ORDER BY 1, 2

-- What the chosen meter's registers counted, as far as it is known, by point: per hour up to three days, beyond them per day.
WITH register AS (
    SELECT
        p.point_id, {{measurand p.measurand}} || CASE WHEN p.code = p.measurand THEN '' ELSE ' ' || p.code END
        || ' [' || p.unit || ']' AS name
    FROM park.point AS p
    WHERE p.park || '/' || p.device = '$meter' AND p.kind = 'counter' AND p.retired_at IS NULL
)
SELECT date_trunc('hour', e.time) AS "time", r.name AS metric, sum(e.amount) AS value
FROM park.interval_energy AS e
JOIN register AS r ON r.point_id = e.point_id
WHERE $__timeFilter(e.time) AND e.point_id = ANY (ARRAY(SELECT point_id FROM register))
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days'
GROUP BY 1, 2
UNION ALL
SELECT e.time, r.name, e.amount
FROM park.energy_day AS e
JOIN register AS r ON r.point_id = e.point_id
WHERE $__timeFilter(e.time) AND e.point_id = ANY (ARRAY(SELECT point_id FROM register))
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '3 days'
ORDER BY 1, 2

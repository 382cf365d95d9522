-- Active power of the chosen meter, means of 15 minutes; beyond 14 days of an hour.
SELECT
    r.time AS "time", {{measurand r.measurand}} || CASE WHEN r.code = r.measurand THEN '' ELSE ' ' || r.code END AS metric,
    r.mean_value AS value
FROM park.reading_15m AS r
WHERE $__timeFilter(r.time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '14 days'
  AND r.point_id = ANY (ARRAY(
      SELECT p.point_id FROM park.point AS p
      WHERE p.park || '/' || p.device = '$meter' AND p.measurand = 'active_power' AND p.retired_at IS NULL
  ))
UNION ALL
SELECT
    r.time, {{measurand r.measurand}} || CASE WHEN r.code = r.measurand THEN '' ELSE ' ' || r.code END, r.mean_value
FROM park.reading_hour AS r
WHERE $__timeFilter(r.time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '14 days'
  AND r.point_id = ANY (ARRAY(
      SELECT p.point_id FROM park.point AS p
      WHERE p.park || '/' || p.device = '$meter' AND p.measurand = 'active_power' AND p.retired_at IS NULL
  ))
ORDER BY 1, 2

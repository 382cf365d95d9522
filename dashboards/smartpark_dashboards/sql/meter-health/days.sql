-- Completeness of the electricity of each park, hour by hour, beyond three days day by day; only of those that are over.
SELECT i.time AS "time", {{shared/park_name}} AS metric, 100.0 * i.completeness AS value
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE $__timeFilter(i.time) AND i.park IN ($park) AND i.boundary = 'park' AND i.indicator = 'electricity_consumption'
  AND i.grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN 'hour'
      ELSE 'day' END
  AND i.time < CASE WHEN i.grain = 'hour' THEN date_trunc('hour', now())
      ELSE date_trunc('day', now(), 'Asia/Shanghai') END
ORDER BY 1, 2

-- Air quality index of each station, hour by hour, beyond 31 days day by day.
SELECT i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric, i.value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.indicator = 'air_quality_index'
  AND i.grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days' THEN 'hour'
      ELSE 'day' END
ORDER BY i.time, 2

-- Air quality index of each station, hour by hour.
SELECT i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric, i.value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND i.indicator = 'air_quality_index'
ORDER BY i.time, 2

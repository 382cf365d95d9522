-- State of each stack, hour by hour: 1 every judged pollutant within its limit, 0 one beyond.
SELECT
    i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    min(floor(i.value)) AS value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND d.code IN ($outlet)
  AND i.indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit') AND i.value IS NOT NULL
  AND split_part(i.indicator, '_', 1) IN ($pollutant)
GROUP BY i.time, d.code, d.name, d.name_en
ORDER BY i.time, 2

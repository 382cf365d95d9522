-- Hours of each stack at the reference oxygen; hours without a valid measurement are gaps.
SELECT i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric, i.value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND i.indicator = 'dust_corrected'
  AND d.code IN ($outlet)
ORDER BY i.time, 2

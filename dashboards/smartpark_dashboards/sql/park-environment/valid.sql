-- How far each stack was measured validly, hour by hour, beyond three days day by day: of the chosen pollutants the worst.
SELECT
    i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    100.0 * min(i.completeness) AS value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND d.code IN ($outlet)
  AND i.grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN 'hour'
      ELSE 'day' END
  AND i.indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected') AND split_part(i.indicator, '_', 1) IN ($pollutant)
GROUP BY i.time, d.code, d.name, d.name_en
ORDER BY i.time, 2

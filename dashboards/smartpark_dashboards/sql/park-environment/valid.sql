-- How far each stack was measured validly, hour by hour, beyond three days day by day (hours that could be judged): of
-- the chosen pollutants the worst.
SELECT
    i.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    100.0 * min(i.completeness) AS value
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND d.code IN ($outlet)
  AND i.grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN 'hour' ELSE 'day' END
  AND split_part(i.indicator, '_', 1) IN ($pollutant)
  AND i.indicator = ANY (
      CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days'
          THEN ARRAY['so2_corrected', 'nox_corrected', 'dust_corrected']
          ELSE ARRAY['so2_in_limit', 'nox_in_limit', 'dust_in_limit'] END
  )
GROUP BY i.time, d.code, d.name, d.name_en
ORDER BY i.time, 2

-- State of each stack, hour by hour: 1 every judged pollutant within its limit, 0 one beyond; as the reason of the hour's
-- concentration says, where it was judged. Beyond 31 days, day by day.
WITH judged AS (
    SELECT i.time, i.boundary, CASE WHEN i.reason LIKE '%mg/m3 kept%' THEN 1 ELSE 0 END AS kept
    FROM park.indicator AS i
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND substr(i.boundary, 8) IN ($outlet)
      AND i.indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND split_part(i.indicator, '_', 1) IN ($pollutant)
      AND (i.reason LIKE '%mg/m3 kept%' OR i.reason LIKE '%mg/m3 exceeded%')
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
    UNION ALL
    SELECT i.time, i.boundary, floor(i.value)::integer
    FROM park.indicator AS i
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'day' AND substr(i.boundary, 8) IN ($outlet)
      AND i.indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit') AND i.value IS NOT NULL
      AND split_part(i.indicator, '_', 1) IN ($pollutant)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '31 days'
)
SELECT
    j.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    min(j.kept)::float8 AS value
FROM judged AS j
JOIN park.device AS d ON d.park = '$park' AND j.boundary = 'device/' || d.code
GROUP BY j.time, d.code, d.name, d.name_en
ORDER BY 1, 2

-- Parents less their children over the days of the range, largest first; days that are not known are counted apart.
SELECT
    d.park || '/' || d.code AS meter, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS name, d.carrier, i.unit,
    sum(i.value) AS residual,
    count(*) FILTER (WHERE i.value IS NULL) AS unknown_days, 100.0 * avg(i.completeness) AS completeness
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'day'
  AND i.indicator IN (
      'balance_residual', 'balance_residual_gas', 'balance_residual_water', 'balance_residual_heat',
      'balance_residual_steam', 'balance_residual_fuel'
  )
GROUP BY d.park, d.code, d.name, d.name_en, d.carrier, i.unit
ORDER BY abs(sum(i.value)) DESC NULLS LAST, d.code
LIMIT 100

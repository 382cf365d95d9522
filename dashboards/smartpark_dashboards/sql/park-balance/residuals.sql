-- Parents less their children over the days of the range, largest first; days that are not known are counted apart, and
-- so are days on which the errors that the meters' classes permit do not explain it, as the number's own reason says. The
-- running day is not yet complete, and no day is to blame for that.
WITH RECURSIVE {{tree}}
SELECT
    d.park || '/' || d.code AS meter, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS name, d.carrier, i.unit,
    sum(i.value) AS residual,
    count(*) FILTER (WHERE i.reason LIKE '%more than the meters'' errors explain%') AS beyond_days,
    count(*) FILTER (WHERE i.reason LIKE '%children exceed their parent%') AS exceeded_days,
    count(*) FILTER (WHERE i.value IS NULL) AS unknown_days,
    100.0 * avg(i.completeness) FILTER (WHERE i.time < date_trunc('day', now(), 'Asia/Shanghai')) AS completeness
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE i.time >= $__timeFrom() AND i.time < $__timeTo() AND i.park = '$park' AND i.grain = 'day'
  AND coalesce(d.sub_park, '-') IN ($zone) AND d.code IN (SELECT code FROM tree WHERE level::text IN ($level))
  AND i.indicator IN (
      'balance_residual', 'balance_residual_gas', 'balance_residual_water', 'balance_residual_heat',
      'balance_residual_steam', 'balance_residual_fuel'
  )
GROUP BY d.park, d.code, d.name, d.name_en, d.carrier, i.unit
ORDER BY abs(sum(i.value)) DESC NULLS LAST, d.code
LIMIT 100

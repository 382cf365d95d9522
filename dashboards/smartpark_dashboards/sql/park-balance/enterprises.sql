-- The ten enterprises that used most over the days of the range; days that are not known are left out.
SELECT CASE WHEN '$lang' = 'en' THEN e.name_en ELSE e.name END AS name, sum(i.value) AS electricity
FROM park.indicator AS i
JOIN park.enterprise AS e ON e.park = i.park AND i.boundary = 'enterprise/' || e.code
WHERE i.time >= $__timeFrom() AND i.time < $__timeTo() AND i.park = '$park' AND i.grain = 'day' AND i.indicator = 'electricity_consumption'
  AND coalesce(e.sub_park, '-') IN ($zone)
GROUP BY e.code, e.name, e.name_en
HAVING sum(i.value) IS NOT NULL
ORDER BY 2 DESC, 1
LIMIT 10

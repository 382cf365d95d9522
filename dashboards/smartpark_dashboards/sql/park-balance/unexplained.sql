-- Electricity meters whose own amount differs most from that of the meters below them, over the known days of the range.
WITH RECURSIVE {{tree}}
SELECT CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS meter, round(abs(sum(i.value))::numeric, 3)::float8 AS residual
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE i.time >= $__timeFrom() AND i.time < $__timeTo() AND i.park = '$park' AND i.grain = 'day'
  AND i.indicator = 'balance_residual' AND coalesce(d.sub_park, '-') IN ($zone)
  AND d.code IN (SELECT code FROM tree WHERE level::text IN ($level))
GROUP BY d.code, d.name, d.name_en
HAVING sum(i.value) IS NOT NULL
ORDER BY 2 DESC, 1
LIMIT 10

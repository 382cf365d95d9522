-- Energy per value added in the chosen month, lowest first; parks without are left out.
SELECT CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END || ' ' || p.code AS name, i.value
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'month' AND i.indicator = 'energy_per_value_added'
  AND to_char(i.time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '$month' AND i.value IS NOT NULL
ORDER BY i.value, 1
LIMIT 50

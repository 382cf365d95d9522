-- Value added of the chosen month, as the ratio has it below its line, against energy per value added.
SELECT
    CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END || ' ' || p.code AS park, i.denominator AS value_added,
    i.value AS intensity
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'month' AND i.indicator = 'energy_per_value_added'
  AND to_char(i.time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '$month'
  AND i.value IS NOT NULL AND i.denominator IS NOT NULL
ORDER BY 2, 1
LIMIT 500

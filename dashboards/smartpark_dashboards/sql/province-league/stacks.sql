-- Share of judged hours within the limits in the chosen month, all stacks of a park together.
SELECT
    CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END || ' ' || p.code AS name,
    100.0 * sum(i.numerator) / nullif(sum(i.denominator), 0) AS value
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE i.park IN ($park) AND i.boundary LIKE 'device/%' AND i.grain = 'month'
  AND i.indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
  AND to_char(i.time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '$month'
GROUP BY p.code, p.name, p.name_en
HAVING sum(i.denominator) > 0
ORDER BY 2, 1
LIMIT 50

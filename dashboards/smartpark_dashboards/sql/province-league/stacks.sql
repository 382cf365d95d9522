-- Share of judged hours within the limits in the chosen month, all stacks of a park together.
WITH chosen AS (
    -- The beginning of the month, so that its numbers come by the index.
    SELECT CASE WHEN '$month' LIKE '____-__' AND '$month' ~ '[0-9]{4}-(0[1-9]|1[0-2])' THEN ('$month' || '-01')::timestamp END AS first
)
SELECT
    CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END || ' ' || p.code AS name,
    100.0 * sum(i.numerator) / nullif(sum(i.denominator), 0) AS value
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE i.park IN ($park) AND i.boundary LIKE 'device/%' AND i.grain = 'month'
  AND i.indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
  AND i.time >= (SELECT first AT TIME ZONE 'Asia/Shanghai' FROM chosen)
  AND i.time < (SELECT (first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' FROM chosen)
GROUP BY p.code, p.name, p.name_en
HAVING sum(i.denominator) > 0
ORDER BY 2, 1
LIMIT 50

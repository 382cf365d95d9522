-- Share of judged hours within the limits: numerators over denominators of the days of the range.
SELECT
    d.code AS outlet, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS name,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'so2_in_limit')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'so2_in_limit'), 0) AS so2,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'nox_in_limit')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'nox_in_limit'), 0) AS nox,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'dust_in_limit')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'dust_in_limit'), 0) AS dust,
    100.0 * avg(i.completeness) AS completeness
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'day' AND d.code IN ($outlet)
  AND i.indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
GROUP BY d.code, d.name, d.name_en
ORDER BY 2, 1

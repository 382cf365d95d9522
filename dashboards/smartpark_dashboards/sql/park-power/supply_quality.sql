-- Share of time in limits over the days of the range, by meter: numerators over denominators, both in hours.
SELECT
    CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS name,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'voltage_in_limits')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'voltage_in_limits'), 0) AS voltage,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'frequency_in_limits')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'frequency_in_limits'), 0) AS frequency,
    100.0 * sum(i.numerator) FILTER (WHERE i.indicator = 'voltage_thd_in_limits')
        / nullif(sum(i.denominator) FILTER (WHERE i.indicator = 'voltage_thd_in_limits'), 0) AS thd
FROM park.indicator AS i
JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
WHERE i.park = '$park' AND i.grain = 'day' AND i.time >= $__timeFrom() AND i.time < $__timeTo()
  AND coalesce(d.sub_park, '-') IN ($zone)
  AND i.indicator IN ('voltage_in_limits', 'frequency_in_limits', 'voltage_thd_in_limits')
GROUP BY d.code, d.name, d.name_en
ORDER BY 2, 1
LIMIT 100

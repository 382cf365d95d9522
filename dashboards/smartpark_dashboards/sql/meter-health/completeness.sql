-- Mean completeness of the hourly electricity of the last 24 hours, each park; hours not computed count as missing.
SELECT {{shared/park_name}} AS park, 100.0 * coalesce(sum(i.completeness), 0) / 24 AS completeness
FROM park.park AS p
LEFT JOIN park.indicator AS i
    ON i.park = p.code AND i.boundary = 'park' AND i.indicator = 'electricity_consumption' AND i.grain = 'hour'
    AND i.time >= date_trunc('hour', now()) - INTERVAL '24 hours' AND i.time < date_trunc('hour', now())
WHERE p.code IN ($park) AND p.retired_at IS NULL
GROUP BY p.code, p.name, p.name_en
ORDER BY 2, 1
LIMIT 50

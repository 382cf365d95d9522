-- Of requests energized in the range whose total time is limited: how many kept it, each park.
SELECT
    CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END || ' ' || p.code AS name,
    100.0 * count(*) FILTER (WHERE r.total_used <= r.total_limit) / count(*) AS value
FROM park.load_request AS r
JOIN park.park AS p ON p.code = r.park
WHERE r.park IN ($park) AND r.total_limit IS NOT NULL AND $__timeFilter(r.energized_at)
GROUP BY p.code, p.name, p.name_en
ORDER BY 2, 1
LIMIT 50

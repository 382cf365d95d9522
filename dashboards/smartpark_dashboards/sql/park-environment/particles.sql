-- PM2.5 as the stations report it, means of an hour.
SELECT
    r.time AS "time", CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END || ' ' || p.code AS metric,
    r.mean_value AS value
FROM park.point AS p
JOIN park.reading_hour AS r ON r.point_id = p.point_id
WHERE p.park = '$park' AND p.measurand = 'ambient_pm25' AND p.retired_at IS NULL AND $__timeFilter(r.time)
ORDER BY r.time, 2

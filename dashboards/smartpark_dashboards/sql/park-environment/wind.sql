-- Wind speed as the stations report it, means of an hour.
SELECT
    r.time AS "time", CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END || ' ' || p.device AS metric,
    r.mean_value AS value
FROM park.reading_hour AS r
JOIN park.point AS p ON p.point_id = r.point_id
WHERE $__timeFilter(r.time) AND r.point_id = ANY (ARRAY(
    SELECT p.point_id FROM park.point AS p
    WHERE p.park = '$park' AND p.measurand = 'wind_speed' AND p.retired_at IS NULL
))
ORDER BY r.time, 2

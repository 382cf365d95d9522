-- Points that have been silent longest.
SELECT
    p.park || '/' || p.device AS meter,
    CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END AS name, p.measurand, p.code AS point,
    extract(epoch FROM now() - l.time)::float8 AS lag, l.quality, l.value, p.unit
FROM park.point AS p
LEFT JOIN park.latest AS l ON l.point_id = p.point_id
WHERE p.park IN ($park) AND p.retired_at IS NULL
  AND coalesce(p.sub_park, '-') IN ($zone) AND p.device_kind IN ($type)
  AND (l.time IS NULL OR l.time < now() - INTERVAL '5 minutes')
ORDER BY l.time NULLS FIRST, p.key
LIMIT 200

-- Newest state of the chosen meter's points.
SELECT
    p.code AS point, p.measurand, l.value, p.unit, l.quality, extract(epoch FROM now() - l.time)::float8 AS lag,
    extract(epoch FROM l.received_at - l.time)::float8 AS delay
FROM park.point AS p
LEFT JOIN park.latest AS l ON l.point_id = p.point_id
WHERE p.park || '/' || p.device = '$meter' AND p.retired_at IS NULL
ORDER BY p.code

-- Meters heard in the last half-hour by how long after its own time their newest reading came; below zero the clock of
-- the meter is ahead of the platform's, and by how much stands beside.
SELECT
    p.park || '/' || p.device AS meter,
    max(CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END) AS name,
    greatest(-min(extract(epoch FROM l.received_at - l.time))::float8, 0) AS ahead,
    max(extract(epoch FROM l.received_at - l.time))::float8 AS delay, count(*) AS points
FROM park.point AS p
JOIN park.latest AS l ON l.point_id = p.point_id
WHERE p.park IN ($park) AND p.retired_at IS NULL AND l.received_at > now() - INTERVAL '30 minutes'
  AND coalesce(p.sub_park, '-') IN ($zone) AND p.device_kind IN ($type)
GROUP BY p.park, p.device
ORDER BY max(abs(extract(epoch FROM l.received_at - l.time))) DESC, 1
LIMIT 100

-- Points in service by the age of their newest reading: below five minutes, below half an hour, older, never.
SELECT
    count(*) FILTER (WHERE l.time > now() - INTERVAL '5 minutes') AS fresh,
    count(*) FILTER (WHERE l.time <= now() - INTERVAL '5 minutes' AND l.time > now() - INTERVAL '30 minutes') AS late,
    count(*) FILTER (WHERE l.time <= now() - INTERVAL '30 minutes') AS silent,
    count(*) FILTER (WHERE l.time IS NULL) AS never,
    count(*) FILTER (WHERE l.time > now() - INTERVAL '30 minutes' AND l.quality = 'bad') AS bad
FROM park.point AS p
LEFT JOIN park.latest AS l ON l.point_id = p.point_id
WHERE p.park IN ($park) AND p.retired_at IS NULL
  AND coalesce(p.sub_park, '-') IN ($zone) AND p.device_kind IN ($type)

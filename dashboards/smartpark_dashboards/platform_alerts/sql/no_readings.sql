-- Seconds since something was stored of a park in service that has spoken within 30 days; one that never spoke, and one
-- that was given up, has no row.
SELECT l.park, extract(epoch FROM now() - max(l.received_at))::float8 AS value
FROM park.latest AS l
JOIN park.park AS p ON p.code = l.park AND p.retired_at IS NULL
GROUP BY l.park
HAVING max(l.received_at) > now() - INTERVAL '30 days'

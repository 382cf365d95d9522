-- Seconds since something was stored of a park that has spoken within 30 days; one that never spoke has no row.
SELECT park, extract(epoch FROM now() - max(received_at))::float8 AS value
FROM park.latest
GROUP BY park
HAVING max(received_at) > now() - INTERVAL '30 days'

-- Seconds since the oldest reading was made that an agent which is online still waits to have confirmed.
SELECT code AS agent, extract(epoch FROM now() - oldest_pending)::float8 AS value
FROM park.edge
WHERE online AND oldest_pending IS NOT NULL

-- All agents, not only those of the chosen parks: an agent may serve several.
SELECT
    code AS agent, CASE WHEN online THEN 'online' ELSE 'offline' END AS state,
    extract(epoch FROM now() - oldest_pending)::float8 AS lag, points, accepted, duplicates, dropped
FROM park.edge
ORDER BY online, code
LIMIT 100

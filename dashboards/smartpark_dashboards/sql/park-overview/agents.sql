-- All agents, not only those of one park: an agent may serve several.
SELECT
    code AS agent,
    CASE WHEN online THEN 'online' ELSE 'offline' END AS state,
    extract(epoch FROM now() - oldest_pending)::float8 AS lag,
    hours_left,
    dropped
FROM park.edge
ORDER BY online, code

-- Every agent: what waits there, how long its disk lasts, and what it lost.
SELECT
    code AS agent, CASE WHEN online THEN 'online' ELSE 'offline' END AS state, software, points,
    extract(epoch FROM now() - oldest_pending)::float8 AS lag, spool_readings AS waiting,
    100.0 * spool_bytes / nullif(spool_limit_bytes, 0) AS spool, hours_left, dropped, dead_letters
FROM park.edge
ORDER BY online, code
LIMIT 200

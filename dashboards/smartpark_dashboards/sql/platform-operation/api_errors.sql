-- Percent of the requests that an error of the server (5xx) answered. Without a request it is not known.
WITH moment AS (
    {{moments}}
), asked AS (
    SELECT time, sum(requests) AS requests, sum(server_errors) AS server_errors
    FROM park.api_traffic
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY time
)
SELECT m.time AS "time", (100.0 * a.server_errors / nullif(a.requests, 0))::float8 AS failed
FROM moment AS m
LEFT JOIN asked AS a ON a.time = m.time
ORDER BY 1

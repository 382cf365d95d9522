-- Requests per second, by how they were answered: as asked, refused (4xx), failed (5xx). Only minutes in which a process
-- of the API was there are counted; where none was, nothing is known. What failed comes first: stacked upon the others, the
-- edge of none would be a red line over all.
WITH moment AS (
    {{moments}}
), present AS (
    SELECT p.time + m.n * INTERVAL '1 minute' AS time, 60.0 AS seconds
    FROM park.api_presence AS p
    CROSS JOIN unnest(p.minutes_present) AS m (n)
    WHERE p.time >= $__timeFrom()::timestamptz - INTERVAL '1 hour' AND p.time <= $__timeTo()::timestamptz
      AND {{traffic_grain}} = 'minute'
    UNION ALL
    SELECT date_trunc({{traffic_grain}}, p.time, 'Asia/Shanghai'), sum(p.minutes) * 60.0
    FROM park.api_presence AS p
    WHERE $__timeFilter(p.time) AND {{traffic_grain}} <> 'minute'
    GROUP BY 1
), asked AS (
    SELECT time, sum(requests) AS requests, sum(client_errors) AS client_errors, sum(server_errors) AS server_errors
    FROM park.api_traffic
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY time
)
SELECT
    m.time AS "time",
    (coalesce(a.server_errors, 0) / p.seconds)::float8 AS failed,
    (coalesce(a.client_errors, 0) / p.seconds)::float8 AS refused,
    (coalesce(a.requests - a.client_errors - a.server_errors, 0) / p.seconds)::float8 AS answered
FROM moment AS m
LEFT JOIN present AS p ON p.time = m.time
LEFT JOIN asked AS a ON a.time = m.time
ORDER BY 1

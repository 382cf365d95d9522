-- Routes that were asked for, the slowest first: how often, percent refused (4xx) and failed (5xx), within what time half
-- and 95 % of the requests were answered, and percent of all the time that answers took.
WITH asked AS (
    SELECT
        method, route, sum(requests)::float8 AS requests, sum(client_errors)::float8 AS client_errors,
        sum(server_errors)::float8 AS server_errors, sum(seconds) AS seconds
    FROM park.api_traffic
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY 1, 2
), bucket AS (
    SELECT method, route, above, coalesce(up_to, above) AS up_to, sum(requests)::float8 AS n
    FROM park.api_latency
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY 1, 2, 3, 4
), running AS (
    SELECT
        method, route, above, up_to, n, sum(n) OVER (PARTITION BY method, route ORDER BY above) AS upto,
        sum(n) OVER (PARTITION BY method, route) AS total
    FROM bucket
), slow AS (
    SELECT method, route, {{quantile 0.5}} AS half, {{quantile 0.95}} AS most FROM running GROUP BY 1, 2
)
SELECT
    a.method || ' ' || a.route AS route, a.requests, 100.0 * a.client_errors / a.requests AS refused,
    100.0 * a.server_errors / a.requests AS failed, s.half, s.most,
    100.0 * a.seconds / nullif(sum(a.seconds) OVER (), 0) AS share
FROM asked AS a
LEFT JOIN slow AS s ON s.method = a.method AND s.route = a.route
ORDER BY s.most DESC NULLS LAST, a.seconds DESC, 1
LIMIT 50

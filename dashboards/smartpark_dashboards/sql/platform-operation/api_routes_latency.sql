-- Within what time 95 % of the requests of a route were answered, of the five routes that took most time together.
WITH moment AS (
    {{moments}}
), heavy AS (
    SELECT method, route
    FROM park.api_traffic
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY 1, 2
    ORDER BY sum(seconds) DESC, 1, 2
    LIMIT 5
), bucket AS (
    SELECT time, method, route, above, coalesce(up_to, above) AS up_to, requests::float8 AS n
    FROM park.api_latency
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}} AND (method, route) IN (SELECT method, route FROM heavy)
), running AS (
    SELECT
        time, method, route, above, up_to, n, sum(n) OVER (PARTITION BY time, method, route ORDER BY above) AS upto,
        sum(n) OVER (PARTITION BY time, method, route) AS total
    FROM bucket
)
SELECT m.time AS "time", h.method || ' ' || h.route AS metric, {{quantile 0.95}} AS value
FROM moment AS m
CROSS JOIN heavy AS h
LEFT JOIN running AS r ON r.time = m.time AND r.method = h.method AND r.route = h.route
GROUP BY m.time, h.method, h.route
ORDER BY 1, 2

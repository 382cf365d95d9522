-- Within what time half and 95 % of the requests were answered. Without a request neither is known.
WITH moment AS (
    {{moments}}
), bucket AS (
    SELECT time, above, coalesce(up_to, above) AS up_to, sum(requests)::float8 AS n
    FROM park.api_latency
    WHERE $__timeFilter(time) AND grain = {{traffic_grain}}
    GROUP BY 1, 2, 3
), running AS (
    SELECT
        time, above, up_to, n, sum(n) OVER (PARTITION BY time ORDER BY above) AS upto,
        sum(n) OVER (PARTITION BY time) AS total
    FROM bucket
)
SELECT m.time AS "time", {{quantile 0.5}} AS half, {{quantile 0.95}} AS most
FROM moment AS m
LEFT JOIN running AS r ON r.time = m.time
GROUP BY m.time
ORDER BY 1

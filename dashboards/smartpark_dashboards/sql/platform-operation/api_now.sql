-- The API in the last full quarter of an hour: requests per second of the minutes in which it was there, percent of them
-- answered by an error of the server, and within what time half and 95 % of them were answered. Without a request the
-- last three are not known; where no process of it was there, nothing is.
WITH present AS (
    SELECT nullif(count(*), 0) * 60.0 AS seconds
    FROM park.api_presence AS p
    CROSS JOIN unnest(p.minutes_present) AS m (n)
    WHERE p.time > now() - INTERVAL '2 hours'
      AND p.time + m.n * INTERVAL '1 minute' >= date_trunc('minute', now()) - INTERVAL '15 minutes'
      AND p.time + m.n * INTERVAL '1 minute' < date_trunc('minute', now())
), asked AS (
    SELECT coalesce(sum(requests), 0) AS requests, sum(server_errors) AS server_errors
    FROM park.api_traffic
    WHERE grain = 'minute' AND time >= date_trunc('minute', now()) - INTERVAL '15 minutes'
      AND time < date_trunc('minute', now())
), bucket AS (
    SELECT above, coalesce(up_to, above) AS up_to, sum(requests)::float8 AS n
    FROM park.api_latency
    WHERE grain = 'minute' AND time >= date_trunc('minute', now()) - INTERVAL '15 minutes'
      AND time < date_trunc('minute', now())
    GROUP BY 1, 2
), running AS (
    SELECT above, up_to, n, sum(n) OVER (ORDER BY above) AS upto, sum(n) OVER () AS total FROM bucket
)
SELECT
    (SELECT asked.requests / present.seconds FROM asked, present)::float8 AS per_second,
    (SELECT 100.0 * server_errors / nullif(requests, 0) FROM asked)::float8 AS failed,
    {{quantile 0.5}} AS half,
    {{quantile 0.95}} AS most
FROM running

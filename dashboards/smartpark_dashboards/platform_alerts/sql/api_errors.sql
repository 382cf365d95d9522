-- Percent of the API's requests of the last ten full minutes that an error of the server answered; of fewer than twenty
-- requests nothing is said.
SELECT (100.0 * sum(server_errors) / sum(requests))::float8 AS value
FROM park.api_traffic
WHERE grain = 'minute' AND time >= date_trunc('minute', now()) - INTERVAL '10 minutes'
  AND time < date_trunc('minute', now())
HAVING sum(requests) >= 20

-- How long ago the newest number of each grain was computed.
SELECT
    extract(epoch FROM now() - max(computed_at) FILTER (WHERE grain = 'hour'))::float8 AS hour,
    extract(epoch FROM now() - max(computed_at) FILTER (WHERE grain = 'day'))::float8 AS day
FROM park.indicator
WHERE boundary = 'park' AND indicator = 'electricity_consumption' AND grain IN ('hour', 'day')
  AND time > now() - INTERVAL '3 days'

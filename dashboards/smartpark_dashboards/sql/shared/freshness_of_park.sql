-- Seconds since the newest reading of the park, and since hours and days of its electricity were last computed.
SELECT
    (SELECT extract(epoch FROM now() - max(time))::float8 FROM park.latest WHERE park = '$park') AS reading,
    extract(epoch FROM now() - max(computed_at) FILTER (WHERE grain = 'hour'))::float8 AS hour,
    extract(epoch FROM now() - max(computed_at) FILTER (WHERE grain = 'day'))::float8 AS day
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain IN ('hour', 'day')
  AND time > now() - INTERVAL '3 days'

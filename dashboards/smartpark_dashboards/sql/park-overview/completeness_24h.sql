-- Over the 24 hours that are over; an hour without an indicator counts as nothing at all.
SELECT 100.0 * sum(completeness) / 24 AS value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'hour'
  AND time >= date_trunc('hour', now()) - INTERVAL '24 hours' AND time < date_trunc('hour', now())

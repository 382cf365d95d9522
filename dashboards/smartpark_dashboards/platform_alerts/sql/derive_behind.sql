-- Seconds since an hour's electricity was computed of a park whose readings come in. One of which no hour was computed
-- within 30 days has no row: nobody derives there.
SELECT i.park, extract(epoch FROM now() - max(i.computed_at))::float8 AS value
FROM park.indicator AS i
WHERE i.boundary = 'park' AND i.indicator = 'electricity_consumption' AND i.grain = 'hour'
  AND i.time > now() - INTERVAL '30 days'
  AND EXISTS (
      SELECT FROM park.latest AS l WHERE l.park = i.park AND l.received_at > now() - INTERVAL '15 minutes'
  )
GROUP BY i.park

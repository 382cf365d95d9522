-- The settlement month's maximum demand so far, sliding where it is known and of blocks otherwise.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator IN ('maximum_demand', 'maximum_demand_block')
  AND grain = 'month' AND time > now() - INTERVAL '32 days'
ORDER BY time DESC, indicator
LIMIT 1

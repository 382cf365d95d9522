-- What the year will come to, by the newest month that was computed.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_budget_forecast' AND grain = 'month'
  AND time > now() - INTERVAL '400 days' AND value IS NOT NULL
ORDER BY time DESC
LIMIT 1

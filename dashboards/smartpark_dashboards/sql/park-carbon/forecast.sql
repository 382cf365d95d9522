-- What this year will come to, by its newest month that was computed; in January a dash until there is one.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_budget_forecast' AND grain = 'month'
  AND time >= date_trunc('year', now(), 'Asia/Shanghai') AND value IS NOT NULL
ORDER BY time DESC
LIMIT 1

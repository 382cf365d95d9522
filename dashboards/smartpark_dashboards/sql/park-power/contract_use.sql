-- Maximum demand of the newest settlement month over the contract demand.
SELECT 100.0 * value AS value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'contract_demand_use' AND grain = 'month'
  AND time > now() - INTERVAL '63 days'
ORDER BY time DESC
LIMIT 1

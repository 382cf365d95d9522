-- The settlement month's maximum demand so far, sliding where it is known and of blocks otherwise, over what the contract
-- allows; unknown without a contract.
SELECT 100.0 * i.value / nullif(p.contract_demand_kw, 0) AS value
FROM park.park AS p
LEFT JOIN LATERAL (
    SELECT value FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator IN ('maximum_demand', 'maximum_demand_block')
      AND grain = 'month' AND time > now() - INTERVAL '32 days'
    ORDER BY time DESC, indicator
    LIMIT 1
) AS i ON true
WHERE p.code = '$park'

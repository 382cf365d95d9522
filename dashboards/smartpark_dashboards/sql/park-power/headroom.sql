-- What the contract leaves above this month's maximum demand, and its share of the contract; below zero it was exceeded.
SELECT
    p.contract_demand_kw - i.value AS free,
    100.0 * (p.contract_demand_kw - i.value) / nullif(p.contract_demand_kw, 0) AS share
FROM park.park AS p
LEFT JOIN LATERAL (
    SELECT value FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator IN ('maximum_demand', 'maximum_demand_block')
      AND grain = 'month' AND time > now() - INTERVAL '32 days'
    ORDER BY time DESC, indicator
    LIMIT 1
) AS i ON true
WHERE p.code = '$park'

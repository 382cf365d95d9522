-- The settlement month's maximum demand so far, over what the contract allows; unknown without a contract.
SELECT 100.0 * i.value / nullif(p.contract_demand_kw, 0) AS value
FROM park.park AS p
LEFT JOIN LATERAL (
    {{shared/maximum_demand}}
) AS i ON true
WHERE p.code = '$park'

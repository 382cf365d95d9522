-- What the contract leaves above this month's maximum demand, and its share of the contract; below zero it was exceeded.
SELECT
    p.contract_demand_kw - i.value AS free,
    100.0 * (p.contract_demand_kw - i.value) / nullif(p.contract_demand_kw, 0) AS share
FROM park.park AS p
LEFT JOIN LATERAL (
    {{shared/maximum_demand}}
) AS i ON true
WHERE p.code = '$park'

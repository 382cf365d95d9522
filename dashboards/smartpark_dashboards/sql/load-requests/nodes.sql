-- Capacity asked for at each node of the network, against what is rated there; requests without a node apart.
SELECT
    coalesce(r.node, '—') AS node, sum(r.applied_kva) AS asked, sum(r.reserved_kva) AS reserved,
    max(coalesce(t.rated_kva, f.rated_kva)) AS rated
FROM park.load_request AS r
LEFT JOIN park.transformer AS t ON t.park = r.park AND t.code = r.node
LEFT JOIN park.feeder AS f ON f.park = r.park AND f.code = r.node
WHERE r.park IN ($park) AND r.owner IN ($owner) AND r.stage IN ($stage) AND r.outcome IS NULL
GROUP BY coalesce(r.node, '—')
ORDER BY 2 DESC, 1
LIMIT 50

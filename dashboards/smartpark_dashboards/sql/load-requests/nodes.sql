-- Capacity asked for at each node of the network, against what is rated there and what was free by the newest run, the
-- promised already taken off; requests without a node apart. What is not known is empty.
SELECT
    coalesce(r.node, '—') AS node, sum(r.applied_kva) AS asked, sum(r.reserved_kva) AS reserved,
    max(coalesce(t.rated_kva, f.rated_kva)) AS rated, max(h.headroom) AS free
FROM park.load_request AS r
LEFT JOIN park.transformer AS t ON t.park = r.park AND t.code = r.node
LEFT JOIN park.feeder AS f ON f.park = r.park AND f.code = r.node
LEFT JOIN (
    SELECT park, split_part(node, '/', 2) AS code, min(headroom) AS headroom
    FROM park.headroom
    WHERE park IN ($park) AND is_latest AND kind IN ('transformer', 'feeder')
    GROUP BY 1, 2
) AS h ON h.park = r.park AND h.code = r.node
WHERE r.park IN ($park) AND r.owner IN ($owner) AND r.stage IN ($stage) AND r.outcome IS NULL
GROUP BY coalesce(r.node, '—')
ORDER BY 2 DESC, 1
LIMIT 50

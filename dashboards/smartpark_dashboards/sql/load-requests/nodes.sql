-- Capacity asked for at each node of the network, against what is rated there and what was free by the newest run, the
-- promised already taken off; requests without a node apart. Requests name a node with its kind (transformer/TR1) or without.
-- What is not known is empty.
WITH asked AS (
    SELECT
        park, split_part(node, '/', CASE WHEN node LIKE '%/%' THEN 2 ELSE 1 END) AS code, sum(applied_kva) AS asked,
        sum(reserved_kva) AS reserved
    FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL
    GROUP BY 1, 2
), free AS (
    SELECT park, split_part(node, '/', 2) AS code, min(headroom) AS headroom
    FROM park.headroom
    WHERE park IN ($park) AND is_latest AND kind IN ('transformer', 'feeder')
    GROUP BY 1, 2
)
SELECT
    coalesce(coalesce(t.name, f.name) || ' ' || a.code, a.code, CASE WHEN '$lang' = 'en' THEN 'no node' ELSE '未定节点' END)
    || CASE WHEN (SELECT count(DISTINCT park) FROM asked) > 1 THEN ' · ' || a.park ELSE '' END AS node,
    a.asked, a.reserved, coalesce(t.rated_kva, f.rated_kva) AS rated, h.headroom AS free
FROM asked AS a
LEFT JOIN park.transformer AS t ON t.park = a.park AND t.code = a.code
LEFT JOIN park.feeder AS f ON f.park = a.park AND f.code = a.code
LEFT JOIN free AS h ON h.park = a.park AND h.code = a.code
ORDER BY 2 DESC, 1
LIMIT 50

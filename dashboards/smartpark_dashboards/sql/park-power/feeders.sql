-- Nodes of which free capacity was reckoned last: feeders, transformers, the park, contracts. Where there is none, one that
-- means nothing.
SELECT name || ' ' || node AS "__text", node AS "__value"
FROM park.headroom
WHERE park = '$park' AND is_latest
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM park.headroom WHERE park = '$park' AND is_latest)
ORDER BY 1

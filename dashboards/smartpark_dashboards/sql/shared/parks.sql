-- Parks of the chosen provinces. Before there is any, one that means nothing: a choice without values would break every
-- query.
SELECT CASE WHEN '$lang' = 'en' THEN name_en ELSE name END AS "__text", code AS "__value"
FROM park.park
WHERE retired_at IS NULL AND left(region, 2) IN ($province)
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM park.park WHERE retired_at IS NULL AND left(region, 2) IN ($province))
ORDER BY 1

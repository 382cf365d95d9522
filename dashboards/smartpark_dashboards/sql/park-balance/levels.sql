-- Levels of the tree of meters on which there is a meter above others; before there is any, one that means nothing.
WITH RECURSIVE {{tree}}, parent AS (
    SELECT DISTINCT t.level
    FROM tree AS t
    WHERE EXISTS (SELECT FROM park.device AS d WHERE d.park = '$park' AND d.parent = t.code)
)
SELECT CASE WHEN '$lang' = 'en' THEN 'level ' || level ELSE '第 ' || level || ' 级' END AS "__text", level::text AS "__value"
FROM parent
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM parent)
ORDER BY 2

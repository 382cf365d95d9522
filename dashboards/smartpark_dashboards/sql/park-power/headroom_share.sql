-- Free capacity of each chosen node as a share of its capacity, by the newest run; what is not known is left out.
SELECT
    CASE
        WHEN kind = 'park' THEN CASE WHEN '$lang' = 'en' THEN 'whole park' ELSE '全园' END
        WHEN kind = 'contract' THEN CASE WHEN '$lang' = 'en' THEN 'contract ' ELSE '合同 ' END || name
        ELSE name || ' ' || split_part(node, '/', 2)
    END AS node,
    100.0 * headroom_share AS headroom
FROM park.headroom
WHERE park = '$park' AND is_latest AND node IN ($feeder) AND headroom_share IS NOT NULL
ORDER BY 2, 1
LIMIT 50

-- Free capacity of each chosen node as a share of its capacity, by the newest run; what is not known is left out.
SELECT name || ' ' || node AS node, 100.0 * headroom_share AS headroom
FROM park.headroom
WHERE park = '$park' AND is_latest AND node IN ($feeder) AND headroom_share IS NOT NULL
ORDER BY 2, 1
LIMIT 50

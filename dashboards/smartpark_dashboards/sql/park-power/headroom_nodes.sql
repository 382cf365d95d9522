-- Free capacity of each chosen node by the newest run, the tightest first; what is not known comes last and says why. What
-- is decided by stands first: the rest is behind the scroll bar.
SELECT
    split_part(node, '/', 2) AS code,
    CASE WHEN kind <> 'park' THEN name WHEN '$lang' = 'en' THEN 'whole park' ELSE '全园' END AS name, kind, headroom, 100.0 * headroom_share AS share, capacity, unit, limit_value,
    peak, peak_at, reserved, cautious_headroom AS cautious, is_lower_bound::integer AS is_lower_bound,
    coalesce(reason, '') AS reason, extract(epoch FROM now() - computed_at)::float8 AS age
FROM park.headroom
WHERE park = '$park' AND is_latest AND node IN ($feeder)
ORDER BY headroom_share NULLS LAST, node
LIMIT 200

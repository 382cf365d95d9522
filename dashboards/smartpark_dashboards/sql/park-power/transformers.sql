-- Newest day of each transformer, and its hours of heavy load and overload in the newest month.
SELECT
    t.code AS transformer, t.name, t.rated_kva, 100.0 * d.value AS load_rate, h.value AS heavy_hours,
    o.value AS overload_hours
FROM park.transformer AS t
LEFT JOIN LATERAL (
    SELECT value FROM park.indicator
    WHERE park = '$park' AND boundary = 'transformer/' || t.code AND indicator = 'transformer_load_rate'
      AND grain = 'day' AND time > now() - INTERVAL '3 days'
    ORDER BY time DESC
    LIMIT 1
) AS d ON true
LEFT JOIN LATERAL (
    SELECT value FROM park.indicator
    WHERE park = '$park' AND boundary = 'transformer/' || t.code AND indicator = 'transformer_heavy_hours'
      AND grain = 'month' AND time > now() - INTERVAL '32 days'
    ORDER BY time DESC
    LIMIT 1
) AS h ON true
LEFT JOIN LATERAL (
    SELECT value FROM park.indicator
    WHERE park = '$park' AND boundary = 'transformer/' || t.code AND indicator = 'transformer_overload_hours'
      AND grain = 'month' AND time > now() - INTERVAL '32 days'
    ORDER BY time DESC
    LIMIT 1
) AS o ON true
WHERE t.park = '$park' AND t.retired_at IS NULL AND coalesce(t.sub_park, '-') IN ($zone)
ORDER BY d.value DESC NULLS LAST, t.code

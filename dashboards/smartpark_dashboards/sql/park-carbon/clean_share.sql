-- Share of clean energy, newest year that is known.
SELECT 100.0 * value AS value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'clean_energy_share' AND grain = 'year'
  AND time > now() - INTERVAL '800 days' AND value IS NOT NULL
ORDER BY time DESC
LIMIT 1

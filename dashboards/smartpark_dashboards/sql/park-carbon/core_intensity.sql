-- By the method of zero-carbon parks, the newest year that is known.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_per_energy_zero_carbon' AND grain = 'year'
  AND time > now() - INTERVAL '800 days' AND value IS NOT NULL
ORDER BY time DESC
LIMIT 1

-- By the method of zero-carbon parks, the newest year that is known; the target is what the gap of that year leaves.
SELECT i.value AS intensity, i.value - g.value AS target
FROM park.indicator AS i
LEFT JOIN park.indicator AS g
    ON g.park = '$park' AND g.boundary = 'park' AND g.indicator = 'zero_carbon_gap' AND g.grain = 'year' AND g.time = i.time
WHERE i.park = '$park' AND i.boundary = 'park' AND i.indicator = 'carbon_per_energy_zero_carbon' AND i.grain = 'year'
  AND i.time > now() - INTERVAL '800 days' AND i.value IS NOT NULL
ORDER BY i.time DESC
LIMIT 1

-- The gap of the core number to its threshold and the five guiding shares, newest known year of each; nothing where
-- nothing was reported.
WITH newest AS (
    SELECT DISTINCT ON (indicator) indicator, value
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND grain = 'year' AND time > now() - INTERVAL '1500 days'
      AND value IS NOT NULL
      AND indicator IN (
          'zero_carbon_gap', 'clean_energy_share', 'quota_level_2_share', 'solid_waste_utilisation',
          'waste_heat_utilisation', 'water_reuse_rate'
      )
    ORDER BY indicator, time DESC
)
SELECT
    max(value) FILTER (WHERE indicator = 'zero_carbon_gap') AS gap,
    100.0 * max(value) FILTER (WHERE indicator = 'clean_energy_share') AS clean,
    100.0 * max(value) FILTER (WHERE indicator = 'quota_level_2_share') AS quota,
    100.0 * max(value) FILTER (WHERE indicator = 'solid_waste_utilisation') AS waste,
    100.0 * max(value) FILTER (WHERE indicator = 'waste_heat_utilisation') AS heat,
    100.0 * max(value) FILTER (WHERE indicator = 'water_reuse_rate') AS water
FROM newest

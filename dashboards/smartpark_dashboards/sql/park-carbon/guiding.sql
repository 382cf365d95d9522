-- The core number of zero-carbon parks, its gap to the threshold, and the guiding ones, newest known year of each.
SELECT i.indicator, i.year, i.value, i.unit
FROM (
    SELECT DISTINCT ON (indicator)
        indicator, extract(year FROM time AT TIME ZONE 'Asia/Shanghai')::integer::text AS year, value, unit
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND grain = 'year' AND time > now() - INTERVAL '1500 days'
      AND value IS NOT NULL
      AND indicator IN (
          'carbon_per_energy_zero_carbon', 'zero_carbon_gap', 'clean_energy_share', 'quota_level_2_share',
          'solid_waste_utilisation', 'waste_heat_utilisation', 'water_reuse_rate'
      )
    ORDER BY indicator, time DESC
) AS i
ORDER BY array_position(
    ARRAY[
        'carbon_per_energy_zero_carbon', 'zero_carbon_gap', 'clean_energy_share', 'quota_level_2_share',
        'solid_waste_utilisation', 'waste_heat_utilisation', 'water_reuse_rate'
    ], i.indicator
)

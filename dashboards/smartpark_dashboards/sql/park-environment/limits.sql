-- Limits that stacks are held to today, with where they come from.
SELECT
    CASE WHEN '$lang' = 'en' THEN device_name_en ELSE device_name END AS name, device AS outlet, pollutant, limit_value, unit,
    reference_o2_pct AS oxygen, CASE WHEN '$lang' = 'en' THEN limit_name_en ELSE limit_name END AS held_to,
    valid_from::text AS since, source, grade
FROM park.emission_limit
WHERE park = '$park' AND device IN ($outlet) AND pollutant IN ($pollutant) AND starts <= now()
  AND (ends IS NULL OR ends > now())
ORDER BY device, pollutant
LIMIT 200

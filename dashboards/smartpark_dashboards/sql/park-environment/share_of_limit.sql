-- Newest known hour of the last six of each stack and chosen pollutant, as a share of the limit that held in it; what has
-- no limit on record is left out.
WITH newest AS (
    SELECT DISTINCT ON (boundary, indicator) substr(boundary, 8) AS device, split_part(indicator, '_', 1) AS pollutant, time,
        value
    FROM park.indicator
    WHERE park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND time > now() - INTERVAL '6 hours' AND value IS NOT NULL
    ORDER BY boundary, indicator, time DESC
)
SELECT
    CASE WHEN '$lang' = 'en' THEN l.device_name_en ELSE l.device_name END
    || CASE WHEN EXISTS (
        SELECT FROM park.device AS d WHERE d.park = '$park' AND d.code <> l.device AND d.name = l.device_name
    ) THEN ' ' || n.device ELSE '' END || ' '
    || CASE n.pollutant WHEN 'so2' THEN 'SO₂' WHEN 'nox' THEN 'NOₓ'
        ELSE CASE WHEN '$lang' = 'en' THEN 'dust' ELSE '颗粒物' END END AS outlet,
    100.0 * n.value / l.limit_value AS share
FROM newest AS n
JOIN park.emission_limit AS l
    ON l.park = '$park' AND l.device = n.device AND l.pollutant = n.pollutant AND n.time >= l.starts
    AND (l.ends IS NULL OR n.time < l.ends)
WHERE n.device IN ($outlet) AND n.pollutant IN ($pollutant)
ORDER BY 2 DESC, 1
LIMIT 50

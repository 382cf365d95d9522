-- Judged hours of the range that broke a limit, by pollutant; of one that is not chosen nothing is told.
SELECT
    CASE WHEN 'so2' IN ($pollutant) THEN count(*) FILTER (WHERE indicator = 'so2_in_limit') END AS so2,
    CASE WHEN 'nox' IN ($pollutant) THEN count(*) FILTER (WHERE indicator = 'nox_in_limit') END AS nox,
    CASE WHEN 'dust' IN ($pollutant) THEN count(*) FILTER (WHERE indicator = 'dust_in_limit') END AS dust
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
  AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit') AND value < 1
  AND split_part(indicator, '_', 1) IN ($pollutant) AND substr(boundary, 8) IN ($outlet)

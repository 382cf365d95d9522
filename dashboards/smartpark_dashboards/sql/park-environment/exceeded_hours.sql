-- Judged hours of the range that broke a limit, by pollutant.
SELECT
    count(*) FILTER (WHERE indicator = 'so2_in_limit') AS so2,
    count(*) FILTER (WHERE indicator = 'nox_in_limit') AS nox,
    count(*) FILTER (WHERE indicator = 'dust_in_limit') AS dust
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
  AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit') AND value < 1

-- Newest judged hour of each stack and pollutant within the last six.
WITH last_hour AS (
    SELECT DISTINCT ON (boundary, indicator) boundary, value
    FROM park.indicator
    WHERE park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
      AND time > now() - INTERVAL '6 hours' AND value IS NOT NULL
    ORDER BY boundary, indicator, time DESC
), stack AS (
    SELECT boundary, min(value) >= 1 AS is_within FROM last_hour GROUP BY boundary
)
SELECT count(*) FILTER (WHERE is_within) AS within, count(*) FILTER (WHERE NOT is_within) AS beyond FROM stack

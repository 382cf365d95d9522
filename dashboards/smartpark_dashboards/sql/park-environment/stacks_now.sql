-- Newest judged hour of each stack and pollutant within the last six.
WITH last_hour AS (
    SELECT DISTINCT ON (boundary, indicator) boundary, reason LIKE '%mg/m3 kept%' AS is_kept
    FROM park.indicator
    WHERE park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND time > now() - INTERVAL '6 hours' AND (reason LIKE '%mg/m3 kept%' OR reason LIKE '%mg/m3 exceeded%')
    ORDER BY boundary, indicator, time DESC
), stack AS (
    SELECT boundary, bool_and(is_kept) AS is_within FROM last_hour GROUP BY boundary
)
SELECT count(*) FILTER (WHERE is_within) AS within, count(*) FILTER (WHERE NOT is_within) AS beyond FROM stack

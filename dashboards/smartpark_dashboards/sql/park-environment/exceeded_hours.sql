-- Judged hours of the range that broke a limit, by pollutant, as the reason of the hour's concentration says; beyond 31
-- days those of the days. Of a pollutant that is not chosen, or of which no hour was judged, nothing is told.
WITH judged AS (
    SELECT split_part(indicator, '_', 1) AS pollutant, CASE WHEN reason LIKE '%mg/m3 exceeded%' THEN 1.0 ELSE 0 END AS hours
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND (reason LIKE '%mg/m3 kept%' OR reason LIKE '%mg/m3 exceeded%')
      AND split_part(indicator, '_', 1) IN ($pollutant) AND substr(boundary, 8) IN ($outlet)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
    UNION ALL
    SELECT split_part(indicator, '_', 1), denominator - numerator
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'day' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
      AND split_part(indicator, '_', 1) IN ($pollutant) AND substr(boundary, 8) IN ($outlet)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '31 days'
)
SELECT
    sum(hours) FILTER (WHERE pollutant = 'so2') AS so2,
    sum(hours) FILTER (WHERE pollutant = 'nox') AS nox,
    sum(hours) FILTER (WHERE pollutant = 'dust') AS dust
FROM judged

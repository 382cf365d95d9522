-- Judged hours of the range that broke a limit, by pollutant, as the reason of the hour's concentration says; beyond 31
-- days those of the days. Of a pollutant that is not chosen nothing is told.
WITH exceeded AS (
    SELECT split_part(indicator, '_', 1) AS pollutant, 1.0 AS hours
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected') AND reason LIKE '%mg/m3 exceeded%'
      AND split_part(indicator, '_', 1) IN ($pollutant) AND substr(boundary, 8) IN ($outlet)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
    UNION ALL
    SELECT split_part(indicator, '_', 1), denominator - numerator
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'day' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit') AND numerator < denominator
      AND split_part(indicator, '_', 1) IN ($pollutant) AND substr(boundary, 8) IN ($outlet)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '31 days'
)
SELECT
    CASE WHEN 'so2' IN ($pollutant) THEN coalesce(sum(hours) FILTER (WHERE pollutant = 'so2'), 0) END AS so2,
    CASE WHEN 'nox' IN ($pollutant) THEN coalesce(sum(hours) FILTER (WHERE pollutant = 'nox'), 0) END AS nox,
    CASE WHEN 'dust' IN ($pollutant) THEN coalesce(sum(hours) FILTER (WHERE pollutant = 'dust'), 0) END AS dust
FROM exceeded

-- Share of judged hours within the limits, as the reason of the hour's concentration says, beyond 31 days by the days; and
-- how many hours of the stack's pollutants were judged, of those that are published: an hour of a furnace that was off is
-- not judged, and nobody's fault.
WITH hour AS (
    SELECT
        substr(boundary, 8) AS device, split_part(indicator, '_', 1) AS pollutant,
        CASE WHEN reason LIKE '%mg/m3 kept%' THEN 1.0 WHEN reason LIKE '%mg/m3 exceeded%' THEN 0 END AS kept,
        CASE WHEN reason LIKE '%mg/m3 kept%' OR reason LIKE '%mg/m3 exceeded%' THEN 1.0 END AS judged,
        CASE WHEN reason LIKE '%stopped%' THEN NULL ELSE 1.0 END AS wanted
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
    UNION ALL
    SELECT substr(boundary, 8), split_part(indicator, '_', 1), numerator, denominator, denominator / nullif(completeness, 0)
    FROM park.indicator
    WHERE $__timeFilter(time) AND park = '$park' AND grain = 'day' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '31 days'
)
SELECT
    d.code AS outlet, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS name,
    100.0 * sum(h.kept) FILTER (WHERE h.pollutant = 'so2') / nullif(sum(h.judged) FILTER (WHERE h.pollutant = 'so2'), 0)
        AS so2,
    100.0 * sum(h.kept) FILTER (WHERE h.pollutant = 'nox') / nullif(sum(h.judged) FILTER (WHERE h.pollutant = 'nox'), 0)
        AS nox,
    100.0 * sum(h.kept) FILTER (WHERE h.pollutant = 'dust') / nullif(sum(h.judged) FILTER (WHERE h.pollutant = 'dust'), 0)
        AS dust,
    100.0 * coalesce(sum(h.judged), 0) / nullif(sum(h.wanted), 0) AS completeness
FROM park.device AS d
JOIN hour AS h ON h.device = d.code
WHERE d.park = '$park' AND d.code IN ($outlet)
GROUP BY d.code, d.name, d.name_en
ORDER BY 2, 1

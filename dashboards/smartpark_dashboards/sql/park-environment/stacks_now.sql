-- Newest judged hour of each stack and pollutant within the last six; a stack without one is not judged. Without a stack
-- there is nothing, and without a judged one nobody knows how many are beyond.
WITH last_hour AS (
    SELECT DISTINCT ON (boundary, indicator) boundary, reason LIKE '%mg/m3 kept%' AS is_kept
    FROM park.indicator
    WHERE park = '$park' AND grain = 'hour' AND boundary LIKE 'device/%'
      AND indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND time > now() - INTERVAL '6 hours' AND (reason LIKE '%mg/m3 kept%' OR reason LIKE '%mg/m3 exceeded%')
    ORDER BY boundary, indicator, time DESC
), stack AS (
    SELECT d.code, bool_and(h.is_kept) AS is_within
    FROM park.device AS d
    LEFT JOIN last_hour AS h ON h.boundary = 'device/' || d.code
    WHERE d.park = '$park' AND d.carrier = 'flue_gas' AND d.retired_at IS NULL
    GROUP BY d.code
)
SELECT
    CASE WHEN count(is_within) > 0 THEN count(*) FILTER (WHERE is_within) END AS within,
    CASE WHEN count(is_within) > 0 THEN count(*) FILTER (WHERE NOT is_within) END AS beyond,
    count(*) FILTER (WHERE is_within IS NULL) AS unjudged
FROM stack
HAVING count(*) > 0

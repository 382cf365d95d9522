-- What became of each hour of a stack's monitoring, its worst chosen pollutant: 1 valid, 2 valid with suspiciously much
-- oxygen, 3 oxygen as of air, 4 too few valid minutes where the analyser flagged values bad (fault, calibration,
-- maintenance), 5 too few because little came, 6 furnace off. Up to 31 days; an hour that was not computed is blank.
WITH span AS (
    SELECT $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days' AS is_short
), flagged AS MATERIALIZED (
    SELECT DISTINCT r.time, r.device, split_part(r.measurand, '_', 1) AS pollutant
    FROM park.reading_hour AS r
    WHERE $__timeFilter(r.time) AND (SELECT is_short FROM span) AND r.bad_readings > 0
      AND r.point_id = ANY (ARRAY(
          SELECT p.point_id FROM park.point AS p
          WHERE p.park = '$park' AND p.device IN ($outlet) AND p.retired_at IS NULL
            AND p.measurand IN ('so2_concentration', 'nox_concentration', 'dust_concentration', 'o2_content')
      ))
), hour AS (
    SELECT
        i.time, substr(i.boundary, 8) AS device, split_part(i.indicator, '_', 1) AS pollutant,
        CASE
            WHEN i.reason LIKE '%stopped%' THEN 6
            WHEN i.value IS NOT NULL AND i.reason NOT LIKE '%suspicious%' THEN 1
            WHEN i.value IS NOT NULL THEN 2
            WHEN i.reason LIKE '%of air%' THEN 3
            ELSE 5
        END AS state
    FROM park.indicator AS i
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND substr(i.boundary, 8) IN ($outlet)
      AND i.indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND split_part(i.indicator, '_', 1) IN ($pollutant) AND (SELECT is_short FROM span)
), told AS (
    SELECT h.time, h.device, CASE WHEN h.state = 5 AND (f.time IS NOT NULL OR o.time IS NOT NULL) THEN 4 ELSE h.state END AS state
    FROM hour AS h
    LEFT JOIN flagged AS f ON f.time = h.time AND f.device = h.device AND f.pollutant = h.pollutant
    LEFT JOIN flagged AS o ON o.time = h.time AND o.device = h.device AND o.pollutant = 'o2'
)
SELECT
    h.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    (array_agg(h.state ORDER BY array_position(ARRAY[4, 5, 3, 2, 6, 1], h.state)))[1]::float8 AS value
FROM told AS h
JOIN park.device AS d ON d.park = '$park' AND d.code = h.device
GROUP BY h.time, d.code, d.name, d.name_en
ORDER BY 1, 2

-- What became of each hour of a stack's monitoring, its worst chosen pollutant: 1 valid, 2 valid with suspiciously much
-- oxygen, 3 oxygen as of air, 4 too few valid minutes where the analyser flagged values bad (fault, calibration,
-- maintenance), 5 too few because little came, 6 furnace off. Up to 31 days; an hour that was not computed is blank.
WITH flagged AS (
    SELECT r.time, r.device, split_part(r.measurand, '_', 1) AS pollutant, sum(r.bad_readings) AS bad
    FROM park.reading_hour AS r
    WHERE $__timeFilter(r.time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
      AND r.point_id = ANY (ARRAY(
          SELECT p.point_id FROM park.point AS p
          WHERE p.park = '$park' AND p.device IN ($outlet) AND p.retired_at IS NULL
            AND p.measurand IN ('so2_concentration', 'nox_concentration', 'dust_concentration', 'o2_content')
      ))
    GROUP BY r.time, r.device, 3
), hour AS (
    SELECT
        i.time, substr(i.boundary, 8) AS device,
        CASE
            WHEN i.reason LIKE '%stopped%' THEN 6
            WHEN i.value IS NOT NULL AND i.reason NOT LIKE '%suspicious%' THEN 1
            WHEN i.value IS NOT NULL THEN 2
            WHEN i.reason LIKE '%of air%' THEN 3
            WHEN EXISTS (
                SELECT FROM flagged AS f
                WHERE f.time = i.time AND f.device = substr(i.boundary, 8) AND f.bad > 0
                  AND f.pollutant IN (split_part(i.indicator, '_', 1), 'o2')
            ) THEN 4
            ELSE 5
        END AS state
    FROM park.indicator AS i
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND substr(i.boundary, 8) IN ($outlet)
      AND i.indicator IN ('so2_corrected', 'nox_corrected', 'dust_corrected')
      AND split_part(i.indicator, '_', 1) IN ($pollutant)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days'
)
SELECT
    h.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric,
    (array_agg(h.state ORDER BY array_position(ARRAY[4, 5, 3, 2, 6, 1], h.state)))[1]::float8 AS value
FROM hour AS h
JOIN park.device AS d ON d.park = '$park' AND d.code = h.device
GROUP BY h.time, d.code, d.name, d.name_en
ORDER BY 1, 2

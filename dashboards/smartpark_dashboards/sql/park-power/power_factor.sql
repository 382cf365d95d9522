-- As the meters at the boundary report it, means of an hour; beside them the highest standard of the park's contracts in
-- force, where one is entered.
WITH reported AS (
    SELECT
        r.time, CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END || ' ' || p.device AS metric,
        r.mean_value AS value
    FROM park.reading_hour AS r
    JOIN park.point AS p ON p.point_id = r.point_id
    WHERE $__timeFilter(r.time) AND r.point_id = ANY (ARRAY(
        SELECT p.point_id FROM park.point AS p
        WHERE p.park = '$park' AND p.role = 'boundary' AND p.measurand = 'power_factor' AND p.retired_at IS NULL
    ))
)
SELECT time AS "time", metric, value FROM reported
UNION ALL
SELECT
    hour.time, CASE WHEN '$lang' = 'en' THEN 'limit of the contract' ELSE '限值（合同）' END,
    max(c.power_factor_standard::float8)
FROM (SELECT DISTINCT time FROM reported) AS hour
JOIN park.contract AS c
    ON c.park = '$park' AND c.retired_at IS NULL AND c.power_factor_standard IS NOT NULL
    AND c.valid_from <= (hour.time AT TIME ZONE 'Asia/Shanghai')::date
    AND coalesce(c.valid_to, 'infinity') >= (hour.time AT TIME ZONE 'Asia/Shanghai')::date
GROUP BY hour.time
ORDER BY 1, 2

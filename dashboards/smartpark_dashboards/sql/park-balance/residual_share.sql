-- What each parent meter shows beyond those below it, as a share of its own import of the day; of the eight parents with
-- the largest residuals of the range. A day that is not known of either is a gap.
WITH RECURSIVE {{tree}}, residual AS (
    SELECT i.time, d.code, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS name, i.value
    FROM park.indicator AS i
    JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'day' AND i.indicator = 'balance_residual'
      AND coalesce(d.sub_park, '-') IN ($zone) AND d.code IN (SELECT code FROM tree WHERE level::text IN ($level))
), worst AS (
    SELECT code FROM residual GROUP BY code ORDER BY abs(sum(value)) DESC NULLS LAST, code LIMIT 8
), import AS MATERIALIZED (
    SELECT e.time, e.device, e.amount
    FROM park.energy_day AS e
    WHERE $__timeFilter(e.time) AND e.completeness >= 1 AND e.point_id = ANY (ARRAY(
        SELECT p.point_id FROM park.point AS p
        WHERE p.park = '$park' AND p.measurand = 'active_energy_import' AND {{whole}} AND p.device IN (SELECT code FROM worst)
    ))
)
SELECT r.time AS "time", r.name AS metric, 100.0 * r.value / nullif(e.amount, 0) AS value
FROM residual AS r
LEFT JOIN import AS e ON e.device = r.code AND e.time = r.time
WHERE r.code IN (SELECT code FROM worst)
ORDER BY 1, 2

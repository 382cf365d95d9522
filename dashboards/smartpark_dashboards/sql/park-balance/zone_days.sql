-- Electricity of the meters of enterprises and of common use in each zone, day by day, as far as it is known: whatever
-- stands at the end of the tree and not above others.
WITH leaf AS (
    SELECT p.point_id, coalesce(p.sub_park, '-') AS zone
    FROM park.point AS p
    WHERE p.park = '$park' AND p.measurand = 'active_energy_import' AND {{whole}} AND p.role = 'consumption'
      AND coalesce(p.sub_park, '-') IN ($zone) AND NOT EXISTS (
          SELECT FROM park.device AS below WHERE below.park = '$park' AND below.parent = p.device AND below.retired_at IS NULL
      )
)
SELECT
    e.time AS "time",
    coalesce(
        max(CASE WHEN '$lang' = 'en' THEN z.name_en ELSE z.name END), CASE WHEN '$lang' = 'en' THEN 'no zone' ELSE '未分区' END
    ) AS metric,
    sum(e.amount) AS value
FROM park.energy_day AS e
JOIN leaf AS l ON l.point_id = e.point_id
LEFT JOIN park.sub_park AS z ON z.park = '$park' AND z.code = l.zone
WHERE $__timeFilter(e.time) AND e.point_id = ANY (ARRAY(SELECT point_id FROM leaf))
GROUP BY e.time, l.zone
ORDER BY 1, 2

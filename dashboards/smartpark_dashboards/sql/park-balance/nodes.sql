-- Electricity meters with what each measured over the days of the range; where a part of it is not known, that it was at
-- least so much; a dash where nothing is. As text: Grafana writes the bare name of a unit behind a node's number.
WITH amount AS (
    SELECT e.device, sum(e.amount) AS kwh, min(CASE WHEN e.amount IS NULL THEN 0 ELSE e.completeness END) >= 1 AS is_whole
    FROM park.energy_day AS e
    WHERE e.point_id = ANY (ARRAY(
        SELECT p.point_id FROM park.point AS p
        WHERE p.park = '$park' AND p.measurand = 'active_energy_import' AND coalesce(p.sub_park, '-') IN ($zone)
    )) AND $__timeFilter(e.time)
    GROUP BY e.device
)
SELECT
    d.code AS id, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS title, d.code AS subtitle,
    coalesce(CASE WHEN a.is_whole THEN '' ELSE '≥ ' END || round(a.kwh)::text || ' kWh', '—') AS mainstat
FROM park.device AS d
LEFT JOIN amount AS a ON a.device = d.code
WHERE d.park = '$park' AND d.kind = 'meter' AND d.carrier = 'electricity' AND d.retired_at IS NULL
  AND coalesce(d.sub_park, '-') IN ($zone)
ORDER BY d.code
LIMIT 200

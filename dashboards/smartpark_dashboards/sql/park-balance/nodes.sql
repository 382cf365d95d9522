-- Electricity meters, with what each measured yesterday; a dash where a part of the day is not known. As text: Grafana
-- writes the bare name of a unit behind a node's number.
WITH yesterday AS (
    SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AS midnight
), amount AS (
    SELECT e.device, CASE WHEN bool_and(e.amount IS NOT NULL) THEN sum(e.amount) END AS kwh
    FROM park.interval_energy AS e, yesterday AS y
    WHERE e.park = '$park' AND e.measurand = 'active_energy_import'
      AND e.time >= (y.midnight - INTERVAL '1 day') AT TIME ZONE 'Asia/Shanghai'
      AND e.time < y.midnight AT TIME ZONE 'Asia/Shanghai'
    GROUP BY e.device
)
SELECT
    d.code AS id, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS title, d.code AS subtitle,
    coalesce(round(a.kwh)::text || ' kWh', '—') AS mainstat
FROM park.device AS d
LEFT JOIN amount AS a ON a.device = d.code
WHERE d.park = '$park' AND d.kind = 'meter' AND d.carrier = 'electricity' AND d.retired_at IS NULL
  AND coalesce(d.sub_park, '-') IN ($zone)
ORDER BY d.code
LIMIT 200

-- Electricity meters with what each measured over the days of the range; where a part of it is not known, that it was at
-- least so much; a dash where nothing is. As text: Grafana writes the bare name of a unit behind a node's number.
WITH days AS (
    SELECT count(*) AS number
    FROM generate_series(
        date_trunc('day', $__timeFrom()::timestamptz, 'Asia/Shanghai'),
        least($__timeTo()::timestamptz, now() - INTERVAL '20 minutes'), INTERVAL '24 hours'
    ) AS d
    WHERE d >= $__timeFrom()::timestamptz AND d < $__timeTo()::timestamptz
), amount AS (
    SELECT e.device, e.point_id, sum(e.amount) AS kwh,
        -- A day without a row is not known either; of today only what is over counts.
        bool_and(e.amount IS NOT NULL AND e.completeness >= 1) AND count(*) FILTER (WHERE e.time < now() - INTERVAL '20 minutes')
            >= (SELECT number FROM days) AS is_whole
    FROM park.energy_day AS e
    WHERE e.point_id = ANY (ARRAY(
        SELECT p.point_id FROM park.point AS p
        WHERE p.park = '$park' AND p.measurand = 'active_energy_import' AND {{whole}} AND coalesce(p.sub_park, '-') IN ($zone)
    )) AND e.time >= $__timeFrom() AND e.time < $__timeTo()
    GROUP BY e.device, e.point_id
), meter AS (
    SELECT device, sum(kwh) AS kwh, bool_and(is_whole) AS is_whole FROM amount GROUP BY device
)
SELECT
    d.code AS id, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS title, d.code AS subtitle,
    coalesce(CASE WHEN a.is_whole THEN '' ELSE '≥ ' END || round(a.kwh)::text || ' kWh', '—') AS mainstat
FROM park.device AS d
LEFT JOIN meter AS a ON a.device = d.code
WHERE d.park = '$park' AND d.kind = 'meter' AND d.carrier = 'electricity' AND d.retired_at IS NULL
  AND coalesce(d.sub_park, '-') IN ($zone)
ORDER BY d.code
LIMIT 200

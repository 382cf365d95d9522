-- Alerts that fire, most severe and oldest first, by the names of what they are about.
SELECT
    a.alert_id::text AS alert, a.severity, CASE WHEN '$lang' = 'en' THEN a.rule_name_en ELSE a.rule_name END AS rule,
    {{shared/alert_object}} AS object, p.measurand, a.last_value AS value, a.limit_value, a.unit,
    a.fired_at AS since, extract(epoch FROM now() - a.fired_at)::float8 AS age, a.acknowledged_at, a.hidden,
    a.reopened, a.park
FROM park.alert AS a
LEFT JOIN park.device AS d ON d.park = a.park AND d.code = split_part(a.device, '/', 2)
LEFT JOIN park.point AS p ON p.key = a.point
WHERE a.park IN ($park) AND a.rule IN ($rule) AND a.severity IN ($severity) AND a.state = 'firing'
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.fired_at, a.alert_id
LIMIT 500

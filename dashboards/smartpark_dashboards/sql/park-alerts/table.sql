-- Alerts that fire, most severe and oldest first.
SELECT
    alert_id::text AS alert, severity, CASE WHEN '$lang' = 'en' THEN rule_name_en ELSE rule_name END AS rule, park, object,
    cause, last_value AS value, limit_value, unit, extract(epoch FROM now() - fired_at)::float8 AS age,
    acknowledged_at, hidden, reopened
FROM park.alert
WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND state = 'firing'
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), fired_at, alert_id
LIMIT 500

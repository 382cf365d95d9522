-- Firing alerts that people are told of, by severity; and those that are hidden.
SELECT
    count(*) FILTER (WHERE severity = 'critical' AND hidden IS NULL) AS critical,
    count(*) FILTER (WHERE severity = 'warning' AND hidden IS NULL) AS warning,
    count(*) FILTER (WHERE severity = 'info' AND hidden IS NULL) AS info,
    count(*) FILTER (WHERE hidden IS NOT NULL) AS hidden
FROM park.alert
WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND state = 'firing'

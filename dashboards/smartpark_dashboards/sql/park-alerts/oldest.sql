-- Age of the oldest critical alert that nobody has acknowledged.
SELECT extract(epoch FROM now() - min(fired_at))::float8 AS value
FROM park.alert
WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND severity = 'critical' AND state = 'firing'
  AND hidden IS NULL AND acknowledged_at IS NULL

-- Critical alerts of the chosen parks.
{{alert_marks critical}}
  AND a.park IN ($park)
ORDER BY a.fired_at DESC
LIMIT 500

-- Other alerts of the chosen parks.
{{alert_marks other}}
  AND a.park IN ($park)
ORDER BY a.fired_at DESC
LIMIT 500

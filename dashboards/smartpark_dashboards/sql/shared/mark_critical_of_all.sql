-- Critical alerts of all parks.
{{alert_marks critical}}
ORDER BY a.fired_at DESC
LIMIT 500

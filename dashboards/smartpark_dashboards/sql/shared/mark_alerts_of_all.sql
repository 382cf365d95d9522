-- Other alerts of all parks.
{{alert_marks other}}
ORDER BY a.fired_at DESC
LIMIT 500

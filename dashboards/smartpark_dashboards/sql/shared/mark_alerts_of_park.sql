-- Other alerts of the chosen park.
{{alert_marks other}}
  AND a.park = '$park'
ORDER BY a.fired_at DESC
LIMIT 500

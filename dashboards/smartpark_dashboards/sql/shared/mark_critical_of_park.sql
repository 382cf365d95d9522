-- Critical alerts of the chosen park.
{{alert_marks critical}}
  AND a.park = '$park'
ORDER BY a.fired_at DESC
LIMIT 500

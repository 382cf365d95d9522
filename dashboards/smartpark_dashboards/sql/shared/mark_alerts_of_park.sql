-- Spans in which alerts fired that people were told of, or that became known when they were over; one that still fires
-- lasts until now.
SELECT
    fired_at AS "time", coalesce(resolved_at, now()) AS "timeend",
    CASE WHEN '$lang' = 'en' THEN rule_name_en ELSE rule_name END || ' · ' || object AS "text", severity AS "tags"
FROM park.alert
WHERE park = '$park' AND (hidden IS NULL OR hidden = 'late')
  AND fired_at <= $__timeTo() AND coalesce(resolved_at, now()) >= $__timeFrom()
ORDER BY fired_at DESC
LIMIT 500

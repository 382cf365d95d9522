-- Rules that fired most in the range. Also what became known late.
SELECT CASE WHEN '$lang' = 'en' THEN rule_name_en ELSE rule_name END || ' ' || rule AS rule, count(*) AS alerts
FROM park.alert
WHERE $__timeFilter(fired_at) AND park IN ($park) AND rule IN ($rule) AND severity IN ($severity)
  AND (hidden IS NULL OR hidden = 'late')
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 10

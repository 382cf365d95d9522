-- Rules that have given an alert. Before there is any, one that means nothing.
SELECT max(CASE WHEN '$lang' = 'en' THEN rule_name_en ELSE rule_name END) || ' ' || rule AS "__text", rule AS "__value"
FROM park.alert
GROUP BY rule
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM park.alert)
ORDER BY 1

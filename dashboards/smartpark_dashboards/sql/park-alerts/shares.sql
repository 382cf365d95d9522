-- Of alerts that fired in the range and were told: how many were acknowledged; of those labelled, how many were false.
SELECT
    100.0 * count(acknowledged_at) / nullif(count(*), 0) AS acknowledged,
    100.0 * count(*) FILTER (WHERE label = 'false_alarm') / nullif(count(label), 0) AS false_alarms
FROM park.alert
WHERE $__timeFilter(fired_at) AND park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND hidden IS NULL

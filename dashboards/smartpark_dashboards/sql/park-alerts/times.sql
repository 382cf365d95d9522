-- Of alerts that fired in the range and were told: mean time until somebody acknowledged, and until they were over.
SELECT
    avg(extract(epoch FROM acknowledged_at - fired_at))::float8 AS acknowledged_after,
    avg(extract(epoch FROM resolved_at - fired_at))::float8 AS resolved_after
FROM park.alert
WHERE $__timeFilter(fired_at) AND park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND hidden IS NULL

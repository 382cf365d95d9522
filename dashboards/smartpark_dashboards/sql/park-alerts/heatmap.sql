-- Alerts that began to fire and were told or became known late, by hour and day of the park's calendar: a row per hour
-- of the day, all of them on each day, so that rows stand in their order. Without any alert in the range there is nothing.
WITH fired AS (
    SELECT date_trunc('hour', fired_at AT TIME ZONE 'Asia/Shanghai') AS hour, count(*) AS alerts
    FROM park.alert
    WHERE $__timeFilter(fired_at) AND park IN ($park) AND rule IN ($rule) AND severity IN ($severity)
      AND (hidden IS NULL OR hidden = 'late')
    GROUP BY 1
), day AS (
    SELECT generate_series(min(date_trunc('day', hour)), max(date_trunc('day', hour)), INTERVAL '1 day') AS midnight
    FROM fired
)
SELECT
    d.midnight AT TIME ZONE 'Asia/Shanghai' AS "time", to_char(d.midnight + h * INTERVAL '1 hour', 'HH24') AS metric,
    coalesce(f.alerts, 0)::float8 AS value
FROM day AS d
CROSS JOIN generate_series(0, 23) AS h
LEFT JOIN fired AS f ON f.hour = d.midnight + h * INTERVAL '1 hour'
ORDER BY 1, 2

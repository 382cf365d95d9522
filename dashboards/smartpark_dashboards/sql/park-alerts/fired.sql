-- Alerts that began to fire and were told or became known late, per hour, beyond 14 days per day of the park's calendar.
WITH fired AS (
    SELECT
        CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '14 days'
            THEN date_trunc('hour', fired_at)
            ELSE date_trunc('day', fired_at AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
        END AS bucket, severity
    FROM park.alert
    WHERE $__timeFilter(fired_at) AND park IN ($park) AND rule IN ($rule) AND severity IN ($severity)
      AND (hidden IS NULL OR hidden = 'late')
)
SELECT
    bucket AS "time",
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'warning') AS warning,
    count(*) FILTER (WHERE severity = 'info') AS info
FROM fired
GROUP BY bucket
ORDER BY bucket

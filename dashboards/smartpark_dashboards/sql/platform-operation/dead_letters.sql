-- Messages set aside per hour, beyond 14 days per day, by reason.
SELECT
    CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '14 days' THEN date_trunc('hour', time)
        ELSE date_trunc('day', time AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' END AS "time",
    reason AS metric, count(*)::float8 AS value
FROM park.dead_letter
WHERE $__timeFilter(time)
GROUP BY 1, 2
ORDER BY 1, 2

-- Published numbers that were corrected, each day of the park's calendar.
SELECT
    date_trunc('day', superseded_at AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' AS "time",
    count(*)::float8 AS corrected
FROM park.indicator_revision
WHERE $__timeFilter(superseded_at) AND time > $__timeFrom()::timestamptz - INTERVAL '40 days'
GROUP BY 1
ORDER BY 1

-- Requests opened and energized, each month of the park's calendar.
WITH event AS (
    SELECT opened_at AS at, 1 AS opened, 0 AS energized FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(opened_at)
    UNION ALL
    SELECT energized_at, 0, 1 FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(energized_at)
)
SELECT
    date_trunc('month', at AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' AS "time",
    sum(opened)::float8 AS opened, sum(energized)::float8 AS energized
FROM event
GROUP BY 1
ORDER BY 1

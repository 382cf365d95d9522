-- Requests opened and energized, each month of the park's calendar from the first to the last of them.
WITH event AS (
    SELECT date_trunc('month', opened_at AT TIME ZONE 'Asia/Shanghai') AS month, 1 AS opened, 0 AS energized
    FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(opened_at)
    UNION ALL
    SELECT date_trunc('month', energized_at AT TIME ZONE 'Asia/Shanghai'), 0, 1 FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(energized_at)
), calendar AS (
    SELECT generate_series(min(month), max(month), INTERVAL '1 month') AS month FROM event
)
SELECT
    to_char(c.month, 'YYYY-MM') AS month, coalesce(sum(e.opened), 0) AS opened, coalesce(sum(e.energized), 0) AS energized
FROM calendar AS c
LEFT JOIN event AS e ON e.month = c.month
GROUP BY c.month
ORDER BY c.month
LIMIT 120

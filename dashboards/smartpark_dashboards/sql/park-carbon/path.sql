-- The year added up month by month, against the year's budget spread over its days. From the first unknown month on the
-- sum is not known.
WITH month AS (
    SELECT
        time, value, date_trunc('year', time AT TIME ZONE 'Asia/Shanghai') AS year_start,
        time AT TIME ZONE 'Asia/Shanghai' AS month_start
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_location' AND grain = 'month'
      AND time >= date_trunc('year', $__timeFrom()::timestamptz AT TIME ZONE 'Asia/Shanghai')
          AT TIME ZONE 'Asia/Shanghai'
      AND time <= $__timeTo()::timestamptz
), budget AS (
    SELECT first_day::timestamp AS year_start, value
    FROM park.business_figure
    WHERE park = '$park' AND entity = 'park' AND kind = 'carbon_budget_t' AND grain = 'year'
)
SELECT
    m.time AS "time",
    CASE WHEN bool_and(m.value IS NOT NULL) OVER so_far THEN sum(m.value) OVER so_far END AS emitted,
    b.value * extract(epoch FROM m.month_start + INTERVAL '1 month' - m.year_start)
        / extract(epoch FROM m.year_start + INTERVAL '1 year' - m.year_start) AS allowed
FROM month AS m
LEFT JOIN budget AS b ON b.year_start = m.year_start
WINDOW so_far AS (PARTITION BY m.year_start ORDER BY m.time)
ORDER BY m.time

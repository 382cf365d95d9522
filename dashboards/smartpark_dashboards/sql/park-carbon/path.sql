-- The year added up month by month, against the year's budget spread over its days, of the running month over those that
-- are over, and against the pace from which the budget's level may be red. From the first unknown month on the sum is not
-- known; a month of which nothing was ever published is unknown too.
WITH calendar AS (
    SELECT generate_series(
        date_trunc('year', $__timeFrom()::timestamptz AT TIME ZONE 'Asia/Shanghai'),
        least($__timeTo()::timestamptz, now()) AT TIME ZONE 'Asia/Shanghai', INTERVAL '1 month'
    ) AS month_start
), month AS (
    SELECT
        c.month_start AT TIME ZONE 'Asia/Shanghai' AS time, i.value, c.month_start,
        date_trunc('year', c.month_start) AS year_start,
        extract(epoch FROM least(c.month_start + INTERVAL '1 month', now() AT TIME ZONE 'Asia/Shanghai')
            - date_trunc('year', c.month_start))
        / extract(epoch FROM date_trunc('year', c.month_start) + INTERVAL '1 year' - date_trunc('year', c.month_start))
            AS passed
    FROM calendar AS c
    LEFT JOIN park.indicator AS i
        ON i.park = '$park' AND i.boundary = 'park' AND i.indicator = 'carbon_location' AND i.grain = 'month'
        AND i.time = c.month_start AT TIME ZONE 'Asia/Shanghai'
), budget AS (
    SELECT first_day::timestamp AS year_start, value
    FROM park.business_figure
    WHERE park = '$park' AND entity = 'park' AND kind = 'carbon_budget_t' AND grain = 'year'
)
SELECT
    m.time AS "time",
    CASE WHEN bool_and(m.value IS NOT NULL) OVER so_far THEN sum(m.value) OVER so_far END AS emitted,
    b.value * m.passed AS allowed, {{rule budget_red_pace}} * b.value * m.passed AS red
FROM month AS m
LEFT JOIN budget AS b ON b.year_start = m.year_start
WINDOW so_far AS (PARTITION BY m.year_start ORDER BY m.time)
ORDER BY m.time

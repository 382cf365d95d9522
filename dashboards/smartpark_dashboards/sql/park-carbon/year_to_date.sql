-- Months of this year, the running one included, as far as they are known; how many of them are not is told beside.
WITH month AS (
    SELECT generate_series(
        date_trunc('year', now() AT TIME ZONE 'Asia/Shanghai'), now() AT TIME ZONE 'Asia/Shanghai', INTERVAL '1 month'
    ) AT TIME ZONE 'Asia/Shanghai' AS start
)
SELECT sum(i.value) AS emitted, count(*) FILTER (WHERE i.value IS NULL) AS unknown_months
FROM month AS m
LEFT JOIN park.indicator AS i
    ON i.park = '$park' AND i.boundary = 'park' AND i.indicator = 'carbon_location' AND i.grain = 'month'
    AND i.time = m.start

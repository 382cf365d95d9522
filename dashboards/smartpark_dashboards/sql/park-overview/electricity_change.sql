-- Full hours of the day against the same hours of the day before, in percent, and how many are compared: those known on
-- both days as a whole. In the first hour of a day its predecessor is still the one that is compared.
WITH hour AS (
    SELECT time, value
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'hour'
      AND time >= (date_trunc('day', (now() - INTERVAL '1 hour') AT TIME ZONE 'Asia/Shanghai') - INTERVAL '1 day')
          AT TIME ZONE 'Asia/Shanghai'
      AND time < date_trunc('hour', now()) AND completeness >= 0.99
)
SELECT
    100.0 * (sum(t.value) / nullif(sum(y.value), 0) - 1) AS change,
    nullif(count(t.value + y.value), 0) AS hours
FROM hour AS t
JOIN hour AS y ON y.time = t.time - INTERVAL '24 hours'
WHERE t.value IS NOT NULL AND y.value IS NOT NULL

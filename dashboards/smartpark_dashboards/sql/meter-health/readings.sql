-- Readings of all points of the chosen parks per hour, beyond three days per day; with how many of them were not good.
WITH bucket AS (
    SELECT
        CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN time
            ELSE date_trunc('day', time AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' END AS time,
        readings, bad, uncertain
    FROM park.ingest_rate
    WHERE $__timeFilter(time) AND park IN ($park)
)
SELECT
    time AS "time", sum(readings)::float8 AS usable, sum(bad)::float8 AS bad, sum(uncertain)::float8 AS uncertain
FROM bucket
GROUP BY time
ORDER BY time

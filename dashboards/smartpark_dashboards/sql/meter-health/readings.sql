-- Readings of all points of the chosen parks per hour, beyond three days per day; with how many of them were not good.
WITH bucket AS (
    SELECT time, readings, bad_readings, uncertain_readings FROM park.reading_hour
    WHERE $__timeFilter(time) AND park IN ($park)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days'
    UNION ALL
    SELECT time, readings, bad_readings, uncertain_readings FROM park.reading_day
    WHERE $__timeFilter(time) AND park IN ($park)
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '3 days'
)
SELECT
    time AS "time", sum(readings)::float8 AS usable, sum(bad_readings)::float8 AS bad,
    sum(uncertain_readings)::float8 AS uncertain
FROM bucket
GROUP BY time
ORDER BY time

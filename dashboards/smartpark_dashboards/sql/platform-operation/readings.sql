-- Readings of all parks per second: means of 15 minutes, beyond two days of an hour, beyond 40 days of a day.
WITH bucket AS (
    SELECT time, (readings + bad_readings) / 900.0 AS rate FROM park.reading_15m
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '2 days'
    UNION ALL
    SELECT time, (readings + bad_readings) / 3600.0 FROM park.reading_hour
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '2 days'
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '40 days'
    UNION ALL
    SELECT time, (readings + bad_readings) / 86400.0 FROM park.reading_day
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '40 days'
)
SELECT time AS "time", sum(rate)::float8 AS per_second
FROM bucket
GROUP BY time
ORDER BY time

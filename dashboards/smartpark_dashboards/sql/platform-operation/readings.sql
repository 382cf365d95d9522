-- Readings of all parks per second: means of 15 minutes, beyond six hours of an hour, beyond five days of a day.
WITH bucket AS (
    SELECT time, (readings + bad_readings) / 900.0 AS rate FROM park.reading_15m
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '6 hours'
    UNION ALL
    SELECT time, (readings + bad_readings) / 3600.0 FROM park.reading_hour
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '6 hours'
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '5 days'
    UNION ALL
    SELECT time, (readings + bad_readings) / 86400.0 FROM park.reading_day
    WHERE $__timeFilter(time) AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '5 days'
)
SELECT time AS "time", sum(rate)::float8 AS per_second
FROM bucket
GROUP BY time
ORDER BY time

-- Readings of all parks per second: means of 15 minutes, beyond six hours of an hour, beyond five days of a day. Hours
-- come from what is kept of each park, the newest of them from the quarter-hours of the points; the last hour before the
-- end is left out: it is not aggregated yet, and would have to be counted from single readings.
WITH hour AS (
    SELECT time, readings + bad AS readings FROM park.ingest_rate
    WHERE time >= CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '5 days'
            THEN $__timeFrom()::timestamptz
            ELSE date_trunc('day', $__timeFrom()::timestamptz, 'Asia/Shanghai') END
      AND time < date_trunc('hour', $__timeTo()::timestamp - INTERVAL '5 hours') AT TIME ZONE 'UTC'
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '6 hours'
    UNION ALL
    SELECT date_trunc('hour', time), readings + bad_readings FROM park.reading_15m
    WHERE point_id = ANY (ARRAY(SELECT p.point_id FROM park.point AS p))
      AND time >= date_trunc('hour', $__timeTo()::timestamp - INTERVAL '5 hours') AT TIME ZONE 'UTC'
      AND time < date_trunc('hour', $__timeTo()::timestamp - INTERVAL '1 hour') AT TIME ZONE 'UTC'
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '6 hours'
)
SELECT time AS "time", sum(readings + bad_readings)::float8 / 900 AS per_second
FROM park.reading_15m
WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT p.point_id FROM park.point AS p))
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '6 hours'
GROUP BY time
UNION ALL
SELECT time, sum(readings)::float8 / 3600
FROM hour
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '5 days'
GROUP BY time
UNION ALL
SELECT date_trunc('day', time, 'Asia/Shanghai'), sum(readings)::float8 / least(
    86400,
    extract(epoch FROM date_trunc('hour', $__timeTo()::timestamptz) - INTERVAL '1 hour' - date_trunc('day', time, 'Asia/Shanghai'))
)
FROM hour
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '5 days'
GROUP BY date_trunc('day', time, 'Asia/Shanghai')
ORDER BY 1

-- Readings of all points of the chosen parks per hour, beyond three days per day; with how many of them were not good.
-- Hours come from what is kept of each park, the newest of them from the quarter-hours of the points; the last hour
-- before the end is left out: it is not aggregated yet, and would have to be counted from single readings.
WITH hour AS (
    SELECT time, readings, bad AS bad_readings, uncertain AS uncertain_readings FROM park.ingest_rate
    WHERE park IN ($park)
      AND time >= CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days'
            THEN $__timeFrom()::timestamptz
            ELSE date_trunc('day', $__timeFrom()::timestamptz, 'Asia/Shanghai') END
      AND time < date_trunc('hour', $__timeTo()::timestamp - INTERVAL '5 hours') AT TIME ZONE 'UTC'
    UNION ALL
    SELECT date_trunc('hour', time), readings, bad_readings, uncertain_readings FROM park.reading_15m
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT p.point_id FROM park.point AS p WHERE p.park IN ($park)))
      AND time >= date_trunc('hour', $__timeTo()::timestamp - INTERVAL '5 hours') AT TIME ZONE 'UTC'
      AND time < date_trunc('hour', $__timeTo()::timestamp - INTERVAL '1 hour') AT TIME ZONE 'UTC'
)
SELECT
    CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN time
        ELSE date_trunc('day', time, 'Asia/Shanghai') END AS "time",
    sum(readings)::float8 AS usable, sum(bad_readings)::float8 AS bad, sum(uncertain_readings)::float8 AS uncertain
FROM hour
GROUP BY 1
ORDER BY 1

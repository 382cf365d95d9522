-- Mean load at the boundary by hour and day of the park's calendar: a row per hour of the day, all of them on each day,
-- so that rows stand in their order; an hour in which one meter is missing is empty rather than too low.
WITH meter AS (
    SELECT point_id FROM park.boundary_flow
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
), load AS (
    SELECT time, sum(mean_value) AS kw FROM park.reading_hour
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
    GROUP BY time
    HAVING count(mean_value) = (SELECT count(*) FROM meter)
), day AS (
    SELECT DISTINCT date_trunc('day', time AT TIME ZONE 'Asia/Shanghai') AS midnight FROM load
)
SELECT
    d.midnight AT TIME ZONE 'Asia/Shanghai' AS "time", to_char(d.midnight + h * INTERVAL '1 hour', 'HH24') AS metric,
    l.kw AS value
FROM day AS d
CROSS JOIN generate_series(0, 23) AS h
LEFT JOIN load AS l ON l.time = (d.midnight + h * INTERVAL '1 hour') AT TIME ZONE 'Asia/Shanghai'
ORDER BY 1, 2

-- When the settlement month's maximum demand was: of the day on which it was highest the quarter of an hour with the
-- highest load at the boundary; the beginning of that day where quarters are not known of all meters. A month that is over
-- is not this one.
WITH month AS (
    SELECT max(time) AS start FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator IN ('maximum_demand', 'maximum_demand_block')
      AND grain = 'month' AND time > now() - INTERVAL '32 days'
      AND (time AT TIME ZONE 'Asia/Shanghai' + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' > now()
), day AS (
    SELECT i.time FROM park.indicator AS i, month AS m
    WHERE i.park = '$park' AND i.boundary = 'park' AND i.indicator IN ('maximum_demand', 'maximum_demand_block')
      AND i.grain = 'day' AND i.time >= m.start AND i.time > now() - INTERVAL '32 days' AND i.value IS NOT NULL
    ORDER BY i.value DESC, i.indicator, i.time
    LIMIT 1
), meter AS (
    SELECT point_id FROM park.boundary_flow
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
), quarter AS (
    SELECT r.time, sum(r.mean_value) AS kw
    FROM park.reading_15m AS r
    WHERE r.point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND r.time >= (SELECT time FROM day) AND r.time < (SELECT time FROM day) + INTERVAL '24 hours'
    GROUP BY r.time
    HAVING count(r.mean_value) = (SELECT count(*) FROM meter)
)
SELECT coalesce((SELECT time FROM quarter ORDER BY kw DESC, time LIMIT 1), day.time) AS at FROM day

-- What was forecast a day ahead and what came: means of an hour of the park's load, which is what came over the boundary
-- and what was made behind it. Of the forecasts that were made a day before at least the newest; an hour in which one
-- meter is missing has no load.
WITH meter AS (
    SELECT point_id, sign FROM park.boundary_flow WHERE park = '$park' AND measurand = 'active_power'
), load AS (
    SELECT r.time, sum(m.sign * r.mean_value) AS kw FROM park.reading_hour AS r
    JOIN meter AS m ON m.point_id = r.point_id
    WHERE $__timeFilter(r.time) AND r.point_id = ANY (ARRAY(SELECT point_id FROM meter))
    GROUP BY r.time
    HAVING count(r.mean_value) = (SELECT count(*) FROM meter)
), forecast AS (
    SELECT DISTINCT ON (time) time, p10_kw, p50_kw, p90_kw
    FROM park.load_forecast
    WHERE $__timeFilter(time) AND park = '$park' AND horizon_h >= 24
    ORDER BY time, made_at DESC
)
SELECT time AS "time", l.kw AS load_kw, f.p50_kw AS expected_kw, f.p10_kw AS low_kw, f.p90_kw AS high_kw
FROM load AS l
FULL JOIN forecast AS f USING (time)
ORDER BY time

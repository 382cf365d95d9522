-- For which share of the hours the load was at least so high; hours in which one meter is missing are left out.
WITH meter AS (
    SELECT point_id FROM park.boundary_flow
    WHERE park = '$park' AND role = 'boundary' AND carrier = 'electricity' AND measurand = 'active_power'
), load AS (
    SELECT time, sum(mean_value) AS kw FROM park.reading_hour
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
    GROUP BY time
    HAVING count(mean_value) = (SELECT count(*) FROM meter)
)
SELECT 2.0 * (place - 1) AS share, kw AS load_kw
FROM (
    SELECT percentile_cont(ARRAY(SELECT 1 - step / 100.0::float8 FROM generate_series(0, 100, 2) AS step))
        WITHIN GROUP (ORDER BY kw) AS kws
    FROM load
) AS curve, unnest(kws) WITH ORDINALITY AS point (kw, place)
ORDER BY place

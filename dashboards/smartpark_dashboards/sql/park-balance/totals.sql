-- Sums over the days of the range; a sum with an unknown day in it is not known. Nor is one over days of which the park has
-- no number at all although they are over: of a silent park nothing is computed, up to now or in between.
WITH day AS (
    SELECT time, indicator, value
    FROM park.indicator
    WHERE time >= $__timeFrom() AND time < $__timeTo() AND park = '$park' AND boundary = 'park' AND grain = 'day'
      AND indicator IN (
          'electricity_purchased', 'photovoltaic_generation', 'electricity_exported', 'electricity_consumption',
          'distribution_loss', 'unmetered_rest'
      )
), begun AS (
    SELECT CASE WHEN EXISTS (
        SELECT FROM park.indicator
        WHERE park = '$park' AND boundary = 'park' AND grain = 'day' AND indicator = 'electricity_consumption'
          AND time < $__timeFrom()
    ) THEN date_trunc('day', $__timeFrom()::timestamptz, 'Asia/Shanghai') ELSE (SELECT min(time) FROM day) END AS time
), silence AS (
    SELECT EXISTS (
        SELECT FROM park.park AS p
        CROSS JOIN begun
        -- One in service has no end, which least() passes over.
        CROSS JOIN generate_series(begun.time, least(now(), p.retired_at) - INTERVAL '24 hours', INTERVAL '24 hours') AS d
        WHERE p.code = '$park' AND d >= $__timeFrom() AND d < $__timeTo() AND d NOT IN (SELECT time FROM day)
    ) AS silent
)
SELECT
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'electricity_purchased') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'electricity_purchased') END AS purchased,
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'photovoltaic_generation') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'photovoltaic_generation') END AS generated,
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'electricity_exported') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'electricity_exported') END AS exported,
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'electricity_consumption') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'electricity_consumption') END AS consumed,
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'distribution_loss') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'distribution_loss') END AS lost,
    CASE WHEN NOT s.silent AND bool_and(d.value IS NOT NULL) FILTER (WHERE d.indicator = 'unmetered_rest') THEN
        sum(d.value) FILTER (WHERE d.indicator = 'unmetered_rest') END AS unmetered
FROM silence AS s
LEFT JOIN day AS d ON true
GROUP BY s.silent

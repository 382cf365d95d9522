-- Purchased electricity by period of the price plan, each day.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'electricity_sharp') AS sharp,
    max(value) FILTER (WHERE indicator = 'electricity_peak') AS peak,
    max(value) FILTER (WHERE indicator = 'electricity_flat') AS flat,
    max(value) FILTER (WHERE indicator = 'electricity_valley') AS valley
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN ('electricity_sharp', 'electricity_peak', 'electricity_flat', 'electricity_valley')
GROUP BY time
ORDER BY time

-- Loss between distributing meters, and what no end meter measures, as shares of the day's consumption.
SELECT
    time AS "time",
    100.0 * max(value) FILTER (WHERE indicator = 'distribution_loss')
        / nullif(max(value) FILTER (WHERE indicator = 'electricity_consumption'), 0) AS lost,
    100.0 * max(value) FILTER (WHERE indicator = 'unmetered_rest')
        / nullif(max(value) FILTER (WHERE indicator = 'electricity_consumption'), 0) AS unmetered
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN ('distribution_loss', 'unmetered_rest', 'electricity_consumption')
GROUP BY time
ORDER BY time

-- How even each day's load was.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'load_factor') AS load_factor,
    max(value) FILTER (WHERE indicator = 'peak_valley_ratio') AS peak_valley
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN ('load_factor', 'peak_valley_ratio')
GROUP BY time
ORDER BY time

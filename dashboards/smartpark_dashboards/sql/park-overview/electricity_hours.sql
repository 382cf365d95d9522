-- One bar per hour.
SELECT time AS "time", value AS electricity
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption'
  AND grain = 'hour'
ORDER BY time

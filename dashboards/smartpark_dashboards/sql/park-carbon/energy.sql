-- Comprehensive energy of each month.
SELECT time AS "time", value AS energy
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'month'
  AND indicator = 'comprehensive_energy'
ORDER BY time

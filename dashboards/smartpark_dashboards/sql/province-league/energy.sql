-- Comprehensive energy of each park, month by month.
SELECT i.time AS "time", i.park AS metric, i.value
FROM park.indicator AS i
WHERE $__timeFilter(i.time) AND i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'month'
  AND i.indicator = 'comprehensive_energy'
ORDER BY i.time, i.park

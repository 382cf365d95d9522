-- Completeness of each day's electricity, each park: a cell is as green as the day is whole.
SELECT i.time AS "time", i.park AS metric, 100.0 * i.completeness AS value
FROM park.indicator AS i
WHERE $__timeFilter(i.time) AND i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'day'
  AND i.indicator = 'electricity_consumption'
ORDER BY i.time, i.park

-- Energy per value added of each park, month by month.
SELECT i.time AS "time", {{shared/park_name}} AS metric, i.value
FROM park.indicator AS i
JOIN park.park AS p ON p.code = i.park
WHERE $__timeFilter(i.time) AND i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'month'
  AND i.indicator = 'energy_per_value_added'
ORDER BY 1, 2

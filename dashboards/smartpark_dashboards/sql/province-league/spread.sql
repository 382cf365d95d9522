-- Energy per value added in the chosen month, one row per park that knows it.
SELECT i.value AS intensity
FROM park.indicator AS i
WHERE i.park IN ($park) AND i.boundary = 'park' AND i.grain = 'month' AND i.indicator = 'energy_per_value_added'
  AND to_char(i.time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '$month' AND i.value IS NOT NULL
ORDER BY 1
LIMIT 1000

-- Ratios of each month, where the park has reported its output or value added.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'carbon_per_output') AS per_output,
    max(value) FILTER (WHERE indicator = 'carbon_per_value_added') AS per_value_added
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'month'
  AND indicator IN ('carbon_per_output', 'carbon_per_value_added')
GROUP BY time
ORDER BY time

-- Of requests energized in the range whose total time is limited: how many kept it.
SELECT 100.0 * count(*) FILTER (WHERE total_used <= total_limit) / nullif(count(*), 0) AS value
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(energized_at) AND total_limit IS NOT NULL

-- Median of days from acceptance to energization, of requests energized in the range.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM energized_at - accepted_at) / 86400.0) AS value
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND $__timeFilter(energized_at)

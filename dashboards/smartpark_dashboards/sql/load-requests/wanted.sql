-- Capacity of open requests by the month for which it is wanted.
SELECT to_char(wanted_on, 'YYYY-MM') AS month, sum(applied_kva) AS kva, sum(applied_kva * coalesce(probability, 1)) AS expected_kva
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL AND energized_at IS NULL AND wanted_on IS NOT NULL
GROUP BY 1
ORDER BY 1
LIMIT 36

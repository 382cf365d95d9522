-- Capacity of open requests.
SELECT sum(applied_kva) AS value
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL

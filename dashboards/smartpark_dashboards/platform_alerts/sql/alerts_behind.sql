-- Seconds since the oldest readings came that nobody has judged yet; no row where none wait.
SELECT extract(epoch FROM now() - oldest)::float8 AS value
FROM park.waiting_work
WHERE kind = 'reading_change' AND oldest IS NOT NULL

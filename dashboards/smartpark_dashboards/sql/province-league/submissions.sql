-- What parks have sealed and submitted, newest first.
SELECT code AS submission, park, grain, time AS period, sequence, rows, sealed_at
FROM park.submission
WHERE park IN ($park)
ORDER BY sealed_at DESC, code
LIMIT 50

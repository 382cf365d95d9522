-- Spans of the range in which people are not told, and of maintenance, newest first; whose park is not named hold for all.
SELECT
    kind, coalesce(park, '—') AS park, covers, time AS since, ends AS until,
    CASE WHEN ends <= now() THEN 'over' WHEN time > now() THEN 'ahead' ELSE 'now' END AS state
FROM park.alert_silence
WHERE (park IS NULL OR park IN ($park)) AND time <= $__timeTo()::timestamptz + INTERVAL '7 days' AND ends >= $__timeFrom()
ORDER BY time DESC, silence_id DESC
LIMIT 100

-- Spans of maintenance, and others in which people are not told of alerts; one that goes on is shown up to its end.
SELECT
    time AS "time", ends AS "timeend",
    CASE kind WHEN 'maintenance' THEN CASE WHEN '$lang' = 'en' THEN 'maintenance' ELSE '停电/检修' END
        ELSE CASE WHEN '$lang' = 'en' THEN 'silence' ELSE '静默' END END || ' · ' || coalesce(park || ' · ', '') || covers
        AS "text",
    kind AS "tags"
FROM park.alert_silence
WHERE (park IS NULL OR park IN ($park)) AND time <= $__timeTo() AND ends >= $__timeFrom()
ORDER BY time DESC
LIMIT 500

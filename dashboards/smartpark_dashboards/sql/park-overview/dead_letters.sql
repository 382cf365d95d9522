-- By reason, most frequent first.
SELECT reason AS "原因", count(*) AS "条数", max(time) AS "最近"
FROM park.dead_letter
WHERE time > now() - INTERVAL '24 hours' AND replayed_at IS NULL
GROUP BY reason
ORDER BY count(*) DESC, reason

-- By reason, most frequent first.
SELECT reason, count(*) AS messages, max(time) AS newest
FROM park.dead_letter
WHERE time > now() - INTERVAL '24 hours' AND replayed_at IS NULL
GROUP BY reason
ORDER BY count(*) DESC, reason

-- Messages and readings that were set aside within an hour, by reason.
SELECT reason, count(*)::float8 AS value
FROM park.dead_letter
WHERE time > now() - INTERVAL '1 hour' AND replayed_at IS NULL
GROUP BY reason

-- What was found about registers in the last 24 hours, each meter and quarter of an hour counted once.
SELECT
    e.park || '/' || e.device AS meter,
    count(*) FILTER (WHERE e.flags & 1 > 0) AS gaps,
    count(*) FILTER (WHERE e.flags & 4 > 0) AS resets,
    count(*) FILTER (WHERE e.flags & 16 > 0) AS glitches,
    count(*) FILTER (WHERE e.flags & 32 > 0) AS replaced,
    count(*) FILTER (WHERE e.flags & 64 > 0) AS bad,
    count(*) FILTER (WHERE e.flags & 256 > 0) AS conflicts,
    count(*) FILTER (WHERE e.flags & 512 > 0) AS implausible
FROM park.interval_energy AS e
WHERE e.park IN ($park) AND e.time > now() - INTERVAL '24 hours' AND e.flags & 885 > 0
  AND coalesce(e.sub_park, '-') IN ($zone)
GROUP BY e.park, e.device
ORDER BY count(*) DESC, 1
LIMIT 100

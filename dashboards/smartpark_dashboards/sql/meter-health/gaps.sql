-- Meters and quarters of an hour of the last 24 hours whose energy is not known, joined to spans. Behind a register's last
-- reading nothing is computed before the next one: where that is an hour ago or more, the span until now.
WITH meter AS (
    SELECT point_id, park, device, measurand
    FROM park.point
    WHERE park IN ($park) AND kind = 'counter' AND retired_at IS NULL AND coalesce(sub_park, '-') IN ($zone)
), quarter AS (
    SELECT
        e.point_id, e.time,
        e.time - row_number() OVER (PARTITION BY e.point_id ORDER BY e.time) * INTERVAL '15 minutes' AS island
    FROM park.interval_energy AS e
    WHERE e.park IN ($park) AND e.time > now() - INTERVAL '24 hours' AND e.amount IS NULL
      AND coalesce(e.sub_park, '-') IN ($zone)
), silent AS (
    SELECT
        m.*, coalesce(l.time + INTERVAL '15 minutes', date_trunc('hour', now()) - INTERVAL '24 hours') AS since,
        date_trunc('minute', now()) AS until
    FROM meter AS m
    LEFT JOIN LATERAL (
        SELECT e.time FROM park.interval_energy AS e
        WHERE e.point_id = m.point_id AND e.time > now() - INTERVAL '24 hours'
        ORDER BY e.time DESC
        LIMIT 1
    ) AS l ON true
)
SELECT
    m.park || '/' || m.device AS meter, m.measurand, min(q.time) AS since, max(q.time) + INTERVAL '15 minutes' AS until,
    count(*) / 4.0 AS hours
FROM quarter AS q
JOIN meter AS m ON m.point_id = q.point_id
GROUP BY m.park, m.device, m.measurand, q.point_id, q.island
UNION ALL
SELECT park || '/' || device, measurand, since, until, extract(epoch FROM until - since) / 3600
FROM silent
WHERE until - since >= INTERVAL '1 hour'
ORDER BY 5 DESC, 1, 2, 3
LIMIT 100

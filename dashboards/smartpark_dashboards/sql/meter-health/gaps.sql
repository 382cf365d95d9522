-- Meters and quarters of an hour of the last 24 hours whose energy is not known, joined to spans.
WITH gap AS (
    SELECT
        e.park, e.device, e.measurand, e.time,
        e.time - row_number() OVER (PARTITION BY e.point_id ORDER BY e.time) * INTERVAL '15 minutes' AS island
    FROM park.interval_energy AS e
    WHERE e.park IN ($park) AND e.time > now() - INTERVAL '24 hours' AND e.amount IS NULL
      AND coalesce(e.sub_park, '-') IN ($zone)
)
SELECT
    park || '/' || device AS meter, measurand, min(time) AS since, max(time) + INTERVAL '15 minutes' AS until,
    count(*) / 4.0 AS hours
FROM gap
GROUP BY park, device, measurand, island
ORDER BY 5 DESC, 1, 2, 3
LIMIT 100

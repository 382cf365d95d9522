-- When the twenty objects with most alerts fired: 1 from the beginning of an alert, nothing from its end on. Also what
-- became known late. Points by their device and what they measure; what has the same name twice by its park too.
WITH seen AS (
    SELECT park, object, device, edge, point, fired_at, resolved_at
    FROM park.alert
    WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity)
      AND (hidden IS NULL OR hidden = 'late')
      AND fired_at <= $__timeTo()::timestamptz AND coalesce(resolved_at, now()) >= $__timeFrom()::timestamptz
), worst AS (
    SELECT park, object, min(device) AS device, min(edge) AS edge, min(point) AS point
    FROM seen GROUP BY park, object ORDER BY count(*) DESC, park, object LIMIT 20
), said AS (
    SELECT a.park, a.object, {{shared/alert_object}} || coalesce(' · ' || {{measurand p.measurand}}, '') AS name,
        coalesce(p.code, a.object) AS code
    FROM worst AS a
    LEFT JOIN park.device AS d ON d.park = a.park AND d.code = split_part(a.device, '/', 2)
    LEFT JOIN park.point AS p ON p.key = a.point
), named AS (
    SELECT park, object, CASE WHEN count(*) OVER (PARTITION BY name) > 1 THEN name || ' ' || code || ' ' || park ELSE name END
        AS name
    FROM said
), change AS (
    SELECT park, object, greatest(fired_at, $__timeFrom()::timestamptz) AS at, 1 AS step FROM seen
    UNION ALL
    SELECT park, object, resolved_at, -1 FROM seen WHERE resolved_at IS NOT NULL AND resolved_at <= $__timeTo()::timestamptz
), balance AS (
    SELECT park, object, at, sum(sum(step)) OVER (PARTITION BY park, object ORDER BY at) AS firing
    FROM change GROUP BY park, object, at
)
SELECT b.at AS "time", n.name AS metric, least(b.firing, 1)::float8 AS value
FROM balance AS b
JOIN named AS n ON n.park = b.park AND n.object = b.object
ORDER BY 1, 2
LIMIT 5000

-- When the twenty objects with most alerts fired: from the beginning of an alert how severe it is (3 critical, 2 warning,
-- 1 info; of several the most severe), 0 from the end of all. Also what became known late. Points by their device and what they measure; what has the same name twice by its park too.
WITH seen AS (
    SELECT
        park, object, device, edge, point, fired_at, resolved_at,
        array_position(ARRAY['info', 'warning', 'critical'], severity) AS rank
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
    SELECT
        park, object,
        name || CASE WHEN count(*) OVER (PARTITION BY name, park) > 1 THEN ' ' || code ELSE '' END
        || CASE WHEN count(*) OVER (PARTITION BY name) > count(*) OVER (PARTITION BY name, park) THEN ' · ' || park ELSE '' END
        AS name
    FROM said
), change AS (
    SELECT park, object, greatest(fired_at, $__timeFrom()::timestamptz) AS at FROM seen
    UNION
    SELECT park, object, resolved_at FROM seen WHERE resolved_at <= $__timeTo()::timestamptz
)
SELECT c.at AS "time", n.name AS metric, coalesce(max(s.rank), 0)::float8 AS value
FROM change AS c
JOIN named AS n ON n.park = c.park AND n.object = c.object
LEFT JOIN seen AS s
    ON s.park = c.park AND s.object = c.object AND s.fired_at <= c.at AND (s.resolved_at IS NULL OR s.resolved_at > c.at)
GROUP BY c.at, n.name
ORDER BY 1, 2
LIMIT 5000

-- When the twenty objects with most alerts fired: 1 from the beginning of an alert, 0 from its end.
-- Also what became known late.
WITH seen AS (
    SELECT object, fired_at, resolved_at
    FROM park.alert
    WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity)
      AND (hidden IS NULL OR hidden = 'late')
      AND fired_at <= $__timeTo()::timestamptz AND coalesce(resolved_at, now()) >= $__timeFrom()::timestamptz
), worst AS (
    SELECT object FROM seen GROUP BY object ORDER BY count(*) DESC, object LIMIT 20
), change AS (
    SELECT object, greatest(fired_at, $__timeFrom()::timestamptz) AS at, 1 AS step FROM seen
    UNION ALL
    SELECT object, resolved_at, -1 FROM seen WHERE resolved_at IS NOT NULL AND resolved_at <= $__timeTo()::timestamptz
), balance AS (
    SELECT object, at, sum(sum(step)) OVER (PARTITION BY object ORDER BY at) AS firing FROM change GROUP BY object, at
)
SELECT at AS "time", object AS metric, least(firing, 1)::float8 AS value
FROM balance
WHERE object IN (SELECT object FROM worst)
ORDER BY at, object
LIMIT 5000

-- Mean active power of each chosen feeder over its rating, hour by hour, beyond eight days day by day. Feeders have no meters
-- of their own: a feeder carries what the topmost meters on its transformers measure, generators apart, as free capacity
-- is reckoned. One silent meter, or a transformer without any, leaves the feeder's hour empty rather than too low.
WITH behind AS (
    SELECT t.feeder, t.code AS transformer, d.code AS device
    FROM park.transformer AS t
    LEFT JOIN park.device AS d
        ON d.park = t.park AND d.transformer = t.code AND d.carrier = 'electricity' AND d.role <> 'generation'
        AND d.retired_at IS NULL AND NOT EXISTS (
            SELECT FROM park.device AS above
            WHERE above.park = d.park AND above.code = d.parent AND above.transformer = t.code
              AND above.role <> 'generation' AND above.retired_at IS NULL
        )
    WHERE t.park = '$park' AND t.retired_at IS NULL AND 'feeder/' || t.feeder IN ($feeder)
), meter AS (
    SELECT b.feeder, b.transformer, p.point_id
    FROM behind AS b
    LEFT JOIN park.point AS p
        ON p.park = '$park' AND p.device = b.device AND p.measurand = 'active_power' AND p.retired_at IS NULL
        AND (p.code = 'active_power' OR NOT EXISTS (
            SELECT FROM park.point AS q
            WHERE q.park = '$park' AND q.device = b.device AND q.code = 'active_power' AND q.retired_at IS NULL
        ))
), bucket AS (
    SELECT time, point_id, mean_value FROM park.reading_hour
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '8 days'
    UNION ALL
    SELECT time, point_id, mean_value FROM park.reading_day
    WHERE $__timeFilter(time) AND point_id = ANY (ARRAY(SELECT point_id FROM meter))
      AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > INTERVAL '8 days'
)
SELECT b.time AS "time", f.name || ' ' || f.code AS metric, 100.0 * sum(b.mean_value) / f.rated_kva AS value
FROM bucket AS b
JOIN meter AS m ON m.point_id = b.point_id
JOIN park.feeder AS f ON f.park = '$park' AND f.code = m.feeder AND f.rated_kva > 0
GROUP BY b.time, f.code, f.name, f.rated_kva
HAVING count(b.mean_value) = (SELECT count(*) FROM meter AS all_of WHERE all_of.feeder = f.code)
ORDER BY 1, 2

-- How complete the registers of each meter were, day by day, over the last 31 days of the range at most: the forty meters
-- with the least. A day is as complete as the least of the meter's registers; of today only the hours that are over count.
-- Since a register's first day on, a day without any quarter of an hour is one of which nothing is known.
WITH register AS (
    SELECT p.point_id, p.park || '/' || p.device AS meter, f.time AS first
    FROM park.point AS p
    CROSS JOIN LATERAL (
        SELECT e.time FROM park.energy_day AS e WHERE e.point_id = p.point_id ORDER BY e.time LIMIT 1
    ) AS f
    WHERE p.park IN ($park) AND p.retired_at IS NULL AND coalesce(p.sub_park, '-') IN ($zone)
      AND p.device_kind IN ($type) AND p.kind = 'counter'
), known AS (
    SELECT e.point_id, e.time, e.completeness
    FROM park.energy_day AS e
    WHERE e.time >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - INTERVAL '31 days')
      AND e.time <= $__timeTo()::timestamptz
      AND e.point_id = ANY (ARRAY(SELECT point_id FROM register))
), day AS (
    SELECT
        d AS time, r.meter,
        -- Of a day whose first quarter of an hour is not over nothing can be said.
        min(CASE WHEN d + INTERVAL '20 minutes' <= now() THEN coalesce(k.completeness, 0) END) AS completeness
    FROM register AS r
    CROSS JOIN generate_series(
        date_trunc('day', greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - INTERVAL '31 days'), 'Asia/Shanghai'),
        least($__timeTo()::timestamptz, now()), INTERVAL '24 hours'
    ) AS d
    LEFT JOIN known AS k ON k.point_id = r.point_id AND k.time = d
    WHERE d >= r.first AND d >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - INTERVAL '31 days')
    GROUP BY d, r.meter
), worst AS (
    SELECT meter FROM day GROUP BY meter ORDER BY avg(completeness), meter LIMIT 40
)
SELECT
    y.time AS "time",
    CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code
    || CASE WHEN (SELECT count(DISTINCT split_part(meter, '/', 1)) FROM worst) > 1 THEN ' · ' || d.park ELSE '' END AS metric,
    100.0 * y.completeness AS value
FROM worst AS w
JOIN park.device AS d ON d.park = split_part(w.meter, '/', 1) AND d.code = split_part(w.meter, '/', 2)
JOIN day AS y ON y.meter = w.meter
ORDER BY 1, 2

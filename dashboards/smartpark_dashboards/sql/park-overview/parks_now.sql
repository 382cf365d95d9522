-- All parks at a glance: what each used yesterday, how complete that is, and what is open there.
WITH yesterday AS (
    SELECT park, value, completeness
    FROM park.indicator
    WHERE boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'day'
      AND time = (date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') - INTERVAL '1 day') AT TIME ZONE 'Asia/Shanghai'
), alerts AS (
    SELECT park, count(*) FILTER (WHERE severity = 'critical') AS critical, count(*) AS firing
    FROM park.alert
    WHERE state = 'firing' AND hidden IS NULL
    GROUP BY park
)
SELECT
    CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END AS name,
    y.value AS electricity, 100.0 * y.completeness AS completeness,
    coalesce(a.critical, 0) AS critical, coalesce(a.firing, 0) AS firing, p.code AS park
FROM park.park AS p
LEFT JOIN yesterday AS y ON y.park = p.code
LEFT JOIN alerts AS a ON a.park = p.code
WHERE p.retired_at IS NULL
ORDER BY 4 DESC, 5 DESC, 1, 6

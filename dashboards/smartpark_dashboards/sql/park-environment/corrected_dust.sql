-- Hours of each stack at the reference oxygen, beyond 31 days the highest hour of each day; hours without a valid
-- measurement are gaps. Beside them the limit that held then, where one is on record for the stack.
WITH hour AS (
    SELECT
        CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days' THEN i.time
            ELSE date_trunc('day', i.time, 'Asia/Shanghai') END AS time,
        i.boundary, max(i.value) AS value
    FROM park.indicator AS i
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND i.indicator = 'dust_corrected'
      AND substr(i.boundary, 8) IN ($outlet)
    GROUP BY 1, 2
)
SELECT
    h.time AS "time", CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS metric, h.value
FROM hour AS h
JOIN park.device AS d ON d.park = '$park' AND h.boundary = 'device/' || d.code
UNION ALL
SELECT h.time, CASE WHEN '$lang' = 'en' THEN 'limit ' ELSE '限值 ' END || l.device, l.limit_value
FROM hour AS h
JOIN park.emission_limit AS l
    ON l.park = '$park' AND h.boundary = 'device/' || l.device AND l.pollutant = 'dust' AND h.time >= l.starts
    AND (l.ends IS NULL OR h.time < l.ends)
ORDER BY 1, 2

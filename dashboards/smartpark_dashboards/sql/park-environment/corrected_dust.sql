-- Hours of each stack at the reference oxygen; hours without a valid measurement are gaps. Beside them the limit that held
-- in that hour, where one is on record for the stack.
WITH hour AS (
    SELECT
        i.time, d.code, CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.code AS name, i.value
    FROM park.indicator AS i
    JOIN park.device AS d ON d.park = i.park AND i.boundary = 'device/' || d.code
    WHERE $__timeFilter(i.time) AND i.park = '$park' AND i.grain = 'hour' AND i.indicator = 'dust_corrected'
      AND d.code IN ($outlet)
)
SELECT time AS "time", name AS metric, value FROM hour
UNION ALL
SELECT h.time, CASE WHEN '$lang' = 'en' THEN 'limit ' ELSE '限值 ' END || h.code, l.limit_value
FROM hour AS h
JOIN park.emission_limit AS l
    ON l.park = '$park' AND l.device = h.code AND l.pollutant = 'dust' AND h.time >= l.starts
    AND (l.ends IS NULL OR h.time < l.ends)
ORDER BY 1, 2

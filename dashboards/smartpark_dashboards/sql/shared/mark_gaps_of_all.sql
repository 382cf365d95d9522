-- Hours of which more than half of the electricity's readings are missing, neighbours joined; beyond 31 days such days.
WITH thin AS (
    SELECT park, time, grain, time - row_number() OVER (PARTITION BY park, grain ORDER BY time)
        * CASE grain WHEN 'hour' THEN INTERVAL '1 hour' ELSE INTERVAL '24 hours' END AS island
    FROM park.indicator
    WHERE boundary = 'park' AND indicator = 'electricity_consumption'
      AND grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '31 days' THEN 'hour'
          ELSE 'day' END
      AND $__timeFilter(time) AND completeness < 0.5
)
SELECT
    min(time) AS "time",
    max(time) + CASE grain WHEN 'hour' THEN INTERVAL '1 hour' ELSE INTERVAL '24 hours' END AS "timeend",
    CASE WHEN '$lang' = 'en' THEN 'gap in the data' ELSE '数据缺口' END || ' · ' || park AS "text", 'gap' AS "tags"
FROM thin
GROUP BY park, grain, island
ORDER BY 1
LIMIT 500

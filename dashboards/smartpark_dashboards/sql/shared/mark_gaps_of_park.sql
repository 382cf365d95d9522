-- Hours that lack more than half of the electricity's readings, neighbours joined.
WITH thin AS (
    SELECT time, time - row_number() OVER (ORDER BY time) * INTERVAL '1 hour' AS island
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'hour'
      AND $__timeFilter(time) AND completeness < 0.5
)
SELECT
    min(time) AS "time", max(time) + INTERVAL '1 hour' AS "timeend",
    CASE WHEN '$lang' = 'en' THEN 'gap in the data' ELSE '数据缺口' END AS "text", 'gap' AS "tags"
FROM thin
GROUP BY island
ORDER BY 1
LIMIT 500

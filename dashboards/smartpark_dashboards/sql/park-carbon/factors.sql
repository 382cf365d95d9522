-- Factors with which the newest published month of carbon was computed.
WITH newest AS (
    SELECT DISTINCT unnest(factors) AS id, to_char(time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS period
    FROM (
        SELECT time, factors FROM park.indicator
        WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_location' AND grain = 'month'
          AND time > now() - INTERVAL '400 days'
        ORDER BY time DESC
        LIMIT 1
    ) AS month
)
SELECT f.id, n.period, f.kind, f.carrier, f.value, f.unit, f.data_year::text AS data_year, f.grade, f.source
FROM newest AS n
JOIN park.factor AS f ON f.id = n.id
WHERE f.park IS NULL OR f.park = '$park'
ORDER BY f.kind, f.carrier, f.id

-- Alerts that fire and people are told of, by how long they have; a class without any counts none.
WITH firing AS (
    SELECT now() - fired_at AS age
    FROM park.alert
    WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND state = 'firing' AND hidden IS NULL
)
SELECT
    CASE WHEN '$lang' = 'en' THEN c.en ELSE c.zh END AS age,
    (SELECT count(*) FROM firing AS f WHERE f.age >= c.least AND f.age < c.below) AS alerts
FROM (VALUES
    (1, '15分钟内', 'below 15 minutes', INTERVAL '-1 day', INTERVAL '15 minutes'),
    (2, '15分钟至1小时', '15 minutes to 1 hour', INTERVAL '15 minutes', INTERVAL '1 hour'),
    (3, '1小时至1天', '1 hour to 1 day', INTERVAL '1 hour', INTERVAL '1 day'),
    (4, '1天以上', '1 day and more', INTERVAL '1 day', INTERVAL '1000 years')
) AS c (n, zh, en, least, below)
ORDER BY c.n

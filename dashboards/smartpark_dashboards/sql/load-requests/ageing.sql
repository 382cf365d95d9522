-- Open requests by the days of the calendar for which they have been at their stage; a class without any counts none.
WITH stay AS (
    SELECT extract(epoch FROM now() - stage_since) / 86400 AS days
    FROM park.load_request
    WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL
)
SELECT c.age, (SELECT count(*) FROM stay AS s WHERE s.days >= c.least AND s.days < c.below) AS requests
FROM (VALUES
    ('0-5', -1, 5), ('5-10', 5, 10), ('10-20', 10, 20), ('20-40', 20, 40), ('40-80', 40, 80), ('80+', 80, 1e9)
) AS c (age, least, below)
ORDER BY c.least

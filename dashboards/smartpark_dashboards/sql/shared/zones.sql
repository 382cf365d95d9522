-- Zones of the chosen parks; what belongs to no zone has one of its own, so that nothing is left out of all zones.
SELECT CASE WHEN '$lang' = 'en' THEN name_en ELSE name END AS "__text", code AS "__value"
FROM (
    SELECT code, min(name) AS name, min(name_en) AS name_en
    FROM park.sub_park
    WHERE park IN ($park) AND retired_at IS NULL
    GROUP BY code
) AS zone
UNION ALL
SELECT CASE WHEN '$lang' = 'en' THEN 'no zone' ELSE '未分区' END, '-'
ORDER BY 1

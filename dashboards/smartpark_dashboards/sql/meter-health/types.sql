-- Kinds of devices that have points in service in the chosen parks. Where there is none, one that means nothing.
WITH kind AS (
    SELECT DISTINCT device_kind AS code FROM park.point WHERE park IN ($park) AND retired_at IS NULL
)
SELECT
    CASE code WHEN 'meter' THEN CASE WHEN '$lang' = 'en' THEN 'meter' ELSE '表计' END
        WHEN 'station' THEN CASE WHEN '$lang' = 'en' THEN 'station' ELSE '监测站' END
        WHEN 'stack' THEN CASE WHEN '$lang' = 'en' THEN 'stack' ELSE '排口' END ELSE code END AS "__text",
    code AS "__value"
FROM kind
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM kind)
ORDER BY 2

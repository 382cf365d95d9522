-- Meters and stations of the chosen parks. Where there is none, one that means nothing.
SELECT
    CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END || ' ' || d.park || '/' || d.code AS "__text",
    d.park || '/' || d.code AS "__value"
FROM park.device AS d
WHERE d.park IN ($park) AND d.retired_at IS NULL
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM park.device AS d WHERE d.park IN ($park) AND d.retired_at IS NULL)
ORDER BY 1
LIMIT 2000

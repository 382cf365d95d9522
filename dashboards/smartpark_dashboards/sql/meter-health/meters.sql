-- Meters and stations of the chosen parks that have points in service. Where there is none, one that means nothing.
WITH meter AS (
    SELECT DISTINCT park || '/' || device AS code, CASE WHEN '$lang' = 'en' THEN device_name_en ELSE device_name END AS name
    FROM park.point
    WHERE park IN ($park) AND retired_at IS NULL
      AND coalesce(sub_park, '-') IN ($zone) AND device_kind IN ($type)
)
SELECT name || ' ' || code AS "__text", code AS "__value" FROM meter
UNION ALL
SELECT '—', '' WHERE NOT EXISTS (SELECT FROM meter)
ORDER BY 1
LIMIT 2000

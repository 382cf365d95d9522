-- Stacks of the park. Where there is none, one that means nothing: a choice without values would break every query.
SELECT CASE WHEN '$lang' = 'en' THEN d.name_en ELSE d.name END AS "__text", d.code AS "__value"
FROM park.device AS d
WHERE d.park = '$park' AND d.carrier = 'flue_gas' AND d.retired_at IS NULL
UNION ALL
SELECT '—', ''
WHERE NOT EXISTS (
    SELECT FROM park.device AS d WHERE d.park = '$park' AND d.carrier = 'flue_gas' AND d.retired_at IS NULL
)
ORDER BY 1

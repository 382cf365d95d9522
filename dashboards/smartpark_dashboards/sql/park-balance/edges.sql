-- Which meter hangs below which.
SELECT d.parent || '>' || d.code AS id, d.parent AS source, d.code AS target
FROM park.device AS d
JOIN park.device AS p ON p.park = d.park AND p.code = d.parent AND p.retired_at IS NULL
WHERE d.park = '$park' AND d.kind = 'meter' AND d.carrier = 'electricity' AND d.retired_at IS NULL
ORDER BY d.code
LIMIT 200

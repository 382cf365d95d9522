-- Which meter hangs below which, of exactly the meters that are nodes: Grafana's page breaks on an edge to nowhere.
WITH meter AS (
    SELECT code, parent
    FROM park.device
    WHERE park = '$park' AND kind = 'meter' AND carrier = 'electricity' AND retired_at IS NULL
      AND coalesce(sub_park, '-') IN ($zone)
    ORDER BY code
    LIMIT 200
)
SELECT d.parent || '>' || d.code AS id, d.parent AS source, d.code AS target
FROM meter AS d
JOIN meter AS p ON p.code = d.parent
ORDER BY d.code

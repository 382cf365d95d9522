-- Newest value of every point of the stacks, with the flag that came with it (OPC UA codes, as ingest maps those of
-- monitoring systems: smartpark/status.py); a point without a reading has none.
SELECT
    CASE WHEN '$lang' = 'en' THEN p.device_name_en ELSE p.device_name END AS outlet, p.park || '/' || p.device AS meter,
    p.measurand, l.value, p.unit,
    CASE
        WHEN l.time IS NULL THEN 'never'
        WHEN l.status >> 16 = 32908 THEN 'sensor_failure'
        WHEN l.status >> 16 = 32909 THEN 'out_of_service'
        WHEN l.status >> 16 = 32780 THEN 'shutdown'
        WHEN l.status >> 16 = 16532 THEN 'over_range'
        ELSE l.quality
    END AS flag,
    extract(epoch FROM now() - l.time)::float8 AS age
FROM park.point AS p
LEFT JOIN park.latest AS l ON l.point_id = p.point_id
WHERE p.park = '$park' AND p.device IN ($outlet) AND p.retired_at IS NULL
ORDER BY p.device, p.code
LIMIT 200

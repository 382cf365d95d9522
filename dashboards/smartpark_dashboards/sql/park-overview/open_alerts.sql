-- Firing alerts that people are told of.
SELECT
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'warning') AS warning,
    count(*) FILTER (WHERE severity = 'info') AS info
FROM park.alert
WHERE park = '$park' AND state = 'firing' AND hidden IS NULL

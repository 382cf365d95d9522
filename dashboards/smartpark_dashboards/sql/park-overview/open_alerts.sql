-- Firing alerts that people are told of. While what came waits to be judged, none is not known to be none: nothing then.
SELECT
    CASE WHEN b.is_behind THEN nullif(a.critical, 0) ELSE a.critical END AS critical,
    CASE WHEN b.is_behind THEN nullif(a.warning, 0) ELSE a.warning END AS warning,
    CASE WHEN b.is_behind THEN nullif(a.info, 0) ELSE a.info END AS info
FROM (
    SELECT
        count(*) FILTER (WHERE severity = 'critical') AS critical,
        count(*) FILTER (WHERE severity = 'warning') AS warning,
        count(*) FILTER (WHERE severity = 'info') AS info
    FROM park.alert
    WHERE park = '$park' AND state = 'firing' AND hidden IS NULL
) AS a
CROSS JOIN (SELECT {{shared/alerts_behind}} AS is_behind) AS b

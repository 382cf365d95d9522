-- Firing alerts that people are told of, by severity; and those that are hidden. While what came waits to be judged, none is
-- not known to be none: nothing then.
SELECT
    CASE WHEN b.is_behind THEN nullif(a.critical, 0) ELSE a.critical END AS critical,
    CASE WHEN b.is_behind THEN nullif(a.warning, 0) ELSE a.warning END AS warning,
    CASE WHEN b.is_behind THEN nullif(a.info, 0) ELSE a.info END AS info, a.hidden
FROM (
    SELECT
        count(*) FILTER (WHERE severity = 'critical' AND hidden IS NULL) AS critical,
        count(*) FILTER (WHERE severity = 'warning' AND hidden IS NULL) AS warning,
        count(*) FILTER (WHERE severity = 'info' AND hidden IS NULL) AS info,
        count(*) FILTER (WHERE hidden IS NOT NULL) AS hidden
    FROM park.alert
    WHERE park IN ($park) AND rule IN ($rule) AND severity IN ($severity) AND state = 'firing'
) AS a
CROSS JOIN (SELECT {{shared/alerts_behind}} AS is_behind) AS b

-- What waits for somebody: critical alerts that fire and are told, requests whose clock is past, warnings, requests whose
-- clock ends within three days, the rest. `area` and `item` lead to the console.
WITH wanted AS (
    SELECT
        array_position(ARRAY['critical', 'overdue', 'warning', 'soon', 'info'], a.severity) AS rank, a.severity AS urgency,
        CASE WHEN '$lang' = 'en' THEN a.rule_name_en ELSE a.rule_name END AS matter,
        {{shared/alert_object}} || coalesce(' · ' || {{measurand p.measurand}}, '') AS object, a.fired_at AS since,
        'alerts' AS area, a.alert_id::text AS item
    FROM park.alert AS a
    LEFT JOIN park.device AS d ON d.park = a.park AND d.code = split_part(a.device, '/', 2)
    LEFT JOIN park.point AS p ON p.key = a.point
    WHERE a.park = '$park' AND a.state = 'firing' AND a.hidden IS NULL
    UNION ALL
    SELECT
        CASE WHEN due < today THEN 2 ELSE 4 END, CASE WHEN due < today THEN 'overdue' ELSE 'soon' END,
        CASE WHEN '$lang' = 'en' THEN 'load request, due ' ELSE '用电报装，期限 ' END || to_char(due, 'MM-DD'),
        applicant, stage_since, 'requests', code
    FROM (
        SELECT
            applicant, code, stage_since, (now() AT TIME ZONE 'Asia/Shanghai')::date AS today,
            CASE WHEN stage_runs AND total_runs THEN least(stage_due_on, total_due_on)
                WHEN stage_runs THEN stage_due_on WHEN total_runs THEN total_due_on END AS due
        FROM park.load_request
        WHERE park = '$park' AND outcome IS NULL AND suspended IS NULL
    ) AS open_request
    WHERE due <= today + 3
)
SELECT item, urgency, matter, object, since, area FROM wanted ORDER BY rank, since, item LIMIT 100

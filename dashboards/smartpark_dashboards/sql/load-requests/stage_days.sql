-- Median of the working days that requests spent at a stage, of those that left it in the range, in the order of the
-- process; stages that nobody left, and requests without days on record, are left out.
SELECT
    CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS stage,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY t.working_days) AS days
FROM (VALUES
    {{stages}}
) AS s (n, code, zh, en)
JOIN park.load_request_stage AS t ON t.stage = s.code
WHERE t.park IN ($park) AND s.code IN ($stage) AND $__timeFilter(t.left_at) AND t.working_days IS NOT NULL
GROUP BY s.n, s.zh, s.en
ORDER BY s.n

-- Median of the working days that requests spent at a stage, of those that left it in the range, in the order of the
-- process; stages that nobody left, and requests without days on record, are left out.
SELECT
    CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS stage,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY t.working_days) AS days
FROM (VALUES
    (1, 'lead', '意向', 'lead'),
    (2, 'acceptance', '业务受理', 'acceptance'),
    (3, 'survey', '现场勘查', 'site survey'),
    (4, 'access_study', '接入系统论证', 'access-system study'),
    (5, 'scheme_reply', '方案答复', 'scheme reply'),
    (6, 'design_review', '设计审核', 'design review'),
    (7, 'construction', '工程施工', 'construction'),
    (8, 'mid_inspection', '中间检查', 'mid-inspection'),
    (9, 'completion_inspection', '竣工检验', 'completion inspection'),
    (10, 'contract', '签订合同', 'contract'),
    (11, 'energization', '装表接电', 'energization'),
    (12, 'archiving', '归档', 'archiving')
) AS s (n, code, zh, en)
JOIN park.load_request_stage AS t ON t.stage = s.code
WHERE t.park IN ($park) AND s.code IN ($stage) AND $__timeFilter(t.left_at) AND t.working_days IS NOT NULL
GROUP BY s.n, s.zh, s.en
ORDER BY s.n

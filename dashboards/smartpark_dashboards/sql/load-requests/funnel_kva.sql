-- Capacity of the open requests at each stage, in the order of the process; a stage without any asks for none.
SELECT CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS stage, coalesce(sum(r.applied_kva), 0) AS kva
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
LEFT JOIN park.load_request AS r
    ON r.stage = s.code AND r.park IN ($park) AND r.owner IN ($owner) AND r.outcome IS NULL
WHERE s.code IN ($stage)
GROUP BY s.n, s.zh, s.en
ORDER BY s.n

-- The stages there are, in the order of the process.
SELECT CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS "__text", s.code AS "__value"
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
ORDER BY s.n

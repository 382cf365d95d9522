-- How many requests were open at each stage as each day ended, the first stages at the bottom; beyond 200 days only those
-- of every seventh day. A day without any counts none.
SELECT
    d.time AS "time", lpad(d.stage_order::text, 2, '0') || ' ' || CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS metric,
    sum(d.requests)::float8 AS value
FROM park.load_request_day AS d
JOIN (VALUES
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
) AS s (n, code, zh, en) ON s.code = d.stage
WHERE $__timeFilter(d.time) AND d.park IN ($park) AND d.stage IN ($stage)
  AND (
      $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '200 days'
      OR extract(isodow FROM d.time AT TIME ZONE 'Asia/Shanghai') = 1
  )
GROUP BY d.time, d.stage_order, s.zh, s.en
ORDER BY 1, 2

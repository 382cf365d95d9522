-- How many requests were open at each stage as each day ended, the first stages at the bottom; beyond 200 days only those
-- of every seventh day. A day without any counts none.
SELECT
    d.time AS "time", lpad(d.stage_order::text, 2, '0') || ' ' || CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS metric,
    sum(d.requests)::float8 AS value
FROM park.load_request_day AS d
JOIN (VALUES
    {{stages}}
) AS s (n, code, zh, en) ON s.code = d.stage
WHERE $__timeFilter(d.time) AND d.park IN ($park) AND d.stage IN ($stage)
  AND (
      $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '200 days'
      OR extract(isodow FROM d.time AT TIME ZONE 'Asia/Shanghai') = 1
  )
GROUP BY d.time, d.stage_order, s.zh, s.en
ORDER BY 1, 2

-- All agents, not only those of one park: an agent may serve several.
SELECT
    code AS "代理",
    CASE WHEN online THEN '在线' ELSE '离线' END AS "状态",
    extract(epoch FROM now() - oldest_pending)::float8 AS "滞后",
    spool_readings AS "待确认读数",
    hours_left AS "缓存余量",
    dropped AS "丢失读数"
FROM park.edge
ORDER BY online, code

-- Maximum demand of each day.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'maximum_demand') AS sliding_kw,
    max(value) FILTER (WHERE indicator = 'maximum_demand_block') AS block_kw
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN ('maximum_demand', 'maximum_demand_block')
GROUP BY time
ORDER BY time

-- Hours since midnight in the park's zone, latest revisions; hours without a value add nothing.
SELECT sum(value) AS "综合能耗"
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'comprehensive_energy' AND grain = 'hour'
  AND time >= date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'

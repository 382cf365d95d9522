-- Hours since midnight in the park's zone, latest revisions; hours without a value add nothing.
SELECT sum(value) AS "用电量"
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'hour'
  AND time >= date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'

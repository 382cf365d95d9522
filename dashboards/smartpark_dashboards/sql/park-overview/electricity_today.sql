-- The running day in the park's zone, latest revision; the page shows the same number. Unknown while an hour of it is.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'day'
  AND time = date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'

-- The running month in the park's zone, latest revision; the page shows the same number. Unknown while a part of it is.
SELECT value
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_location' AND grain = 'month'
  AND time = date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'

-- Months of this year, the running one included, as far as they are known; how many of them are not is told beside.
SELECT sum(value) AS emitted, count(*) FILTER (WHERE value IS NULL) AS unknown_months
FROM park.indicator
WHERE park = '$park' AND boundary = 'park' AND indicator = 'carbon_location' AND grain = 'month'
  AND time >= date_trunc('year', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'

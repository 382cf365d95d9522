-- Requests whose running clock is past its last day. Days are those of the park.
SELECT count(*) AS value
FROM park.load_request
WHERE park = '$park' AND outcome IS NULL AND suspended IS NULL
  AND (
      stage_runs AND stage_due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date
      OR total_runs AND total_due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date
  )

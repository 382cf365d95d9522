-- Open requests with a running clock by the days that are left of it; below zero it is past.
SELECT
    code AS request, (stage_due_on - (now() AT TIME ZONE 'Asia/Shanghai')::date)::float8 AS days_left,
    stage_due_on::text AS due_on, stage, owner, applicant, kind, applied_kva,
    extract(epoch FROM now() - stage_since) / 86400.0 AS days_in_stage, park
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL AND suspended IS NULL AND stage_runs
  AND stage_due_on IS NOT NULL
ORDER BY stage_due_on, code
LIMIT 200

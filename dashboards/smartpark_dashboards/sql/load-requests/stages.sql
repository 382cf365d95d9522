-- Open requests by stage, in the order of the process.
SELECT
    stage, count(*) AS requests, sum(applied_kva) AS kva,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM now() - stage_since) / 86400.0) AS median_days,
    count(*) FILTER (
        WHERE suspended IS NULL AND stage_runs AND stage_due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date
    ) AS overdue
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL
GROUP BY stage
ORDER BY array_position(
    ARRAY[
        'lead', 'acceptance', 'survey', 'access_study', 'scheme_reply', 'design_review', 'construction',
        'mid_inspection', 'completion_inspection', 'contract', 'energization', 'archiving'
    ], stage
), stage

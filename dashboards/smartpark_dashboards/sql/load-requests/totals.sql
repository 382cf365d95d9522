-- Open requests, those past the last day of a running clock, and the capacity that the open ones ask for.
SELECT
    count(*) AS open,
    count(*) FILTER (
        WHERE suspended IS NULL AND (
            stage_runs AND stage_due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date
            OR total_runs AND total_due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date
        )
    ) AS overdue,
    count(*) FILTER (WHERE suspended IS NOT NULL) AS suspended
FROM park.load_request
WHERE park IN ($park) AND owner IN ($owner) AND stage IN ($stage) AND outcome IS NULL

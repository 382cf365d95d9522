-- How many requests were open at each end of a day of the range, a hundred days at most.
SELECT d AS "time", count(r.code)::float8 AS open, coalesce(sum(r.applied_kva), 0) AS kva
FROM generate_series(
    greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - INTERVAL '400 days'), $__timeTo()::timestamptz,
    greatest(($__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 100, INTERVAL '1 hour')
) AS d
LEFT JOIN park.load_request AS r
    ON r.park IN ($park) AND r.owner IN ($owner) AND r.stage IN ($stage) AND r.opened_at <= d
    AND coalesce(r.ended_at, r.energized_at, 'infinity') > d
GROUP BY d
ORDER BY d

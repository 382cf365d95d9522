-- How old the newest readings were when they came, of points heard in the last quarter of an hour: half of them, and 95 %.
SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - time))::float8 AS half,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - time))::float8 AS most
FROM park.latest
WHERE received_at > now() - INTERVAL '15 minutes'

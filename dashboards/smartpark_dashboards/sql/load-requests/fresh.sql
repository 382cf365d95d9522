-- Since the newest change of a request of the chosen parks, and the oldest day as of which clocks of open ones were reckoned.
SELECT
    extract(epoch FROM now() - max(changed_at))::float8 AS changed,
    ((now() AT TIME ZONE 'Asia/Shanghai')::date - min(clocks_on) FILTER (WHERE outcome IS NULL))::float8 AS clocks
FROM park.load_request
WHERE park IN ($park)

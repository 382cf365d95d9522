-- How the API answers: what its processes counted, added up; see docs/storage.md.

-- traffic_turn --
-- Whether this is the first time that this process writes this; a row if so.
INSERT INTO smartpark.api_process (process, sequence, seen_at) VALUES (%(process)s, %(sequence)s, now())
ON CONFLICT (process) DO UPDATE SET sequence = EXCLUDED.sequence, seen_at = EXCLUDED.seen_at
WHERE api_process.sequence < EXCLUDED.sequence
RETURNING sequence;

-- traffic_add --
-- In one order, so that of two processes one waits for the other and not each for both.
INSERT INTO smartpark.api_traffic (grain, start, method, route, requests, client_errors, server_errors, seconds, counts)
SELECT grain, start, method, route, requests, client_errors, server_errors, seconds, counts
FROM jsonb_to_recordset(%(rows)s::jsonb) AS w (
    grain text, start timestamptz, method text, route text, requests integer, client_errors integer,
    server_errors integer, seconds double precision, counts integer[]
)
ORDER BY grain, start, method, route
ON CONFLICT (grain, start, method, route) DO UPDATE SET
    requests = api_traffic.requests + EXCLUDED.requests,
    client_errors = api_traffic.client_errors + EXCLUDED.client_errors,
    server_errors = api_traffic.server_errors + EXCLUDED.server_errors,
    seconds = api_traffic.seconds + EXCLUDED.seconds,
    counts = ARRAY(
        SELECT w.ours + w.theirs
        FROM unnest(api_traffic.counts, EXCLUDED.counts) WITH ORDINALITY AS w (ours, theirs, number)
        ORDER BY w.number
    );

-- traffic_present --
INSERT INTO smartpark.api_presence (hour, minutes)
SELECT
    date_trunc('hour', minute),
    bit_or(set_bit(repeat('0', 60)::bit(60), extract(minute FROM minute AT TIME ZONE 'UTC')::integer, 1))
FROM unnest(%(minutes)s::timestamptz[]) AS minute
GROUP BY 1
ORDER BY 1
ON CONFLICT (hour) DO UPDATE SET minutes = api_presence.minutes | EXCLUDED.minutes;

-- forget_traffic --
DELETE FROM smartpark.api_traffic
WHERE (grain = 'minute' AND start < %(minutes_before)s) OR (grain = 'hour' AND start < %(hours_before)s)
    OR (grain = 'day' AND start < %(days_before)s);

-- forget_presence --
DELETE FROM smartpark.api_presence WHERE hour < %(days_before)s;

-- forget_processes --
DELETE FROM smartpark.api_process WHERE seen_at < %(hours_before)s;

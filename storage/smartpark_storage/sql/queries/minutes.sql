-- Minute means that derive keeps for a while.

-- fetch_minute_hours --
SELECT point_id, (extract(epoch FROM hour) * 1000000)::bigint, means, statuses
FROM smartpark.minute_hour
WHERE hour >= %(start)s AND hour < %(end)s AND point_id = ANY(%(points)s::integer[]);

-- keep_minute_hours --
INSERT INTO smartpark.minute_hour AS k (hour, point_id, means, statuses)
SELECT timestamptz 'epoch' + given.hour_us * INTERVAL '1 microsecond', given.point_id, given.means, given.statuses
FROM unnest(%(hours)s::bigint[], %(points)s::integer[], %(means)s::bytea[], %(statuses)s::bytea[])
    AS given (hour_us, point_id, means, statuses)
ON CONFLICT (hour, point_id) DO UPDATE SET means = excluded.means, statuses = excluded.statuses
WHERE (k.means, k.statuses) IS DISTINCT FROM (excluded.means, excluded.statuses);

-- drop_old_minutes --
DELETE FROM smartpark.minute_hour WHERE hour < %(before)s;

-- Which readings came, for whoever evaluates alerts, and whose turn it is to evaluate.

-- tell_change --
-- Nothing while nobody watches, or has not for long. The lists travel as they are: as text they would cost ten times as
-- much on both sides.
INSERT INTO smartpark.reading_change (edge_id, points, first_us, end_us, received_at)
SELECT given.edge_id, given.points, given.first_us, given.end_us, %(received_at)s
FROM unnest(%(edges)s::integer[], %(points)b::bytea[], %(firsts)b::bytea[], %(ends)b::bytea[])
    AS given (edge_id, points, first_us, end_us)
WHERE EXISTS (
    SELECT FROM smartpark.alert_watch AS w WHERE w.seen_at > %(received_at)s::timestamptz - w.patience
);

-- watch_changes --
-- Returns since when nothing has been told to this watcher: from when its patience ended; null: all was.
WITH before AS (
    SELECT seen_at, patience FROM smartpark.alert_watch WHERE watcher = %(watcher)s
),
kept AS (
    INSERT INTO smartpark.alert_watch AS w (watcher, registered_at, seen_at, patience)
    VALUES (%(watcher)s, %(at)s, %(at)s, %(patience)s)
    ON CONFLICT (watcher) DO UPDATE
    SET seen_at = excluded.seen_at, patience = excluded.patience,
        registered_at = CASE
            WHEN w.seen_at + w.patience > excluded.seen_at THEN w.registered_at ELSE excluded.registered_at
        END
    RETURNING w.registered_at
)
SELECT
    kept.registered_at,
    (SELECT count(*) FROM before) = 0 AS is_new,
    (SELECT seen_at + patience FROM before WHERE seen_at + patience <= %(at)s) AS lapsed_at
FROM kept;

-- await_writers --
-- Writers that began before somebody watched have not told what they bring; when this returns, they have committed.
LOCK TABLE smartpark.reading_change IN SHARE MODE;

-- keep_watching --
UPDATE smartpark.alert_watch SET seen_at = %(at)s WHERE watcher = %(watcher)s AND seen_at < %(at)s;

-- unwatch_changes --
DELETE FROM smartpark.alert_watch WHERE watcher = %(watcher)s;

-- drop_changes_unwatched --
DELETE FROM smartpark.reading_change WHERE NOT EXISTS (SELECT FROM smartpark.alert_watch);

-- alert_watchers --
SELECT watcher, registered_at, seen_at, patience FROM smartpark.alert_watch ORDER BY watcher;

-- claim_changes --
SELECT change_id, edge_id, points, first_us, end_us, received_at
FROM smartpark.reading_change
ORDER BY change_id
LIMIT %(limit)s;

-- delete_changes --
DELETE FROM smartpark.reading_change WHERE change_id = ANY(%(ids)s::bigint[]);

-- backlog_of_changes --
SELECT count(*), min(received_at) FROM smartpark.reading_change;

-- begin_alerting --
SELECT pg_try_advisory_lock(7262016);

-- end_alerting --
SELECT pg_advisory_unlock(7262016);

-- holds_alerting --
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 0 AND objid = 7262016 AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
);

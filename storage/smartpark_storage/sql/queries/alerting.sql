-- What the evaluation of alerts keeps for itself: how far it has judged; and what it asks often.

-- keep_alert_checkpoint --
INSERT INTO smartpark.alert_checkpoint (watcher, at, points, seen_us, edges, quarters_until, hours_until)
VALUES (%(watcher)s, %(at)s, %(points)s, %(seen)s, %(edges)s, %(quarters)s, %(hours)s)
ON CONFLICT (watcher) DO UPDATE
SET at = excluded.at, points = excluded.points, seen_us = excluded.seen_us, edges = excluded.edges,
    quarters_until = excluded.quarters_until, hours_until = excluded.hours_until;

-- alert_checkpoint --
SELECT at, points, seen_us, edges, quarters_until, hours_until
FROM smartpark.alert_checkpoint WHERE watcher = %(watcher)s;

-- claim_changes_but --
-- As claim_changes, without those that are in hand already.
SELECT change_id, edge_id, points, first_us, end_us, received_at
FROM smartpark.reading_change
WHERE change_id <> ALL(%(held)s::bigint[])
ORDER BY change_id
LIMIT %(limit)s;

-- waiting_changes --
-- Packed: the numbers of all changes that wait, in no order.
SELECT coalesce(string_agg(int8send(change_id), ''::bytea), ''::bytea) FROM smartpark.reading_change;

-- rule_versions --
-- Versions are only added, so another number of them says that some rule has changed.
SELECT count(*) FROM smartpark.alert_rule;

-- newest_readings --
-- Newest usable or unusable reading of each point, of those that have one.
SELECT point_id, (extract(epoch FROM time) * 1000000)::bigint FROM smartpark.latest;

-- edge_presence --
SELECT
    e.edge_id, e.code, s.online, s.boot,
    (extract(epoch FROM s.born_at) * 1000000)::bigint,
    (extract(epoch FROM s.died_at) * 1000000)::bigint,
    (extract(epoch FROM s.status_at) * 1000000)::bigint
FROM smartpark.edge AS e
LEFT JOIN smartpark.edge_state AS s USING (edge_id)
ORDER BY e.edge_id;

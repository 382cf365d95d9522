-- An import of files numbers its batches like an edge, under a code that no agent can have: it has a colon. It is no agent
-- that is offline.
CREATE OR REPLACE VIEW park.edge AS
SELECT
    e.edge_id, e.code, coalesce(s.online, false) AS online, s.software, s.points, s.born_at, s.died_at, s.status_at,
    (s.status ->> 'spool_readings')::bigint AS spool_readings,
    (s.status ->> 'spool_bytes')::bigint AS spool_bytes,
    (s.status ->> 'spool_limit_bytes')::bigint AS spool_limit_bytes,
    to_timestamp((s.status ->> 'oldest_pending')::float8 / 1e6) AS oldest_pending,
    (s.status ->> 'hours_left')::float8 AS hours_left,
    (s.status ->> 'accepted')::bigint AS accepted,
    (s.status ->> 'duplicates')::bigint AS duplicates,
    (s.status ->> 'dropped')::bigint AS dropped,
    to_timestamp((s.status ->> 'dropped_from')::float8 / 1e6) AS dropped_from,
    to_timestamp((s.status ->> 'dropped_to')::float8 / 1e6) AS dropped_to,
    (s.status ->> 'dead_letters')::bigint AS dead_letters,
    s.status -> 'sources' AS sources,
    s.status -> 'alarms' AS alarms
FROM smartpark.edge AS e
LEFT JOIN smartpark.edge_state AS s ON s.edge_id = e.edge_id
WHERE strpos(e.code, ':') = 0;

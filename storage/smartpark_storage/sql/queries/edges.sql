-- Health of edges.

-- add_birth_event --
-- A birth repeated within its session is no event.
INSERT INTO smartpark.edge_event (edge_id, at, event, boot, session)
SELECT %(edge)s, %(at)s, 'birth', %(boot)s, %(session)s
WHERE NOT EXISTS (
    SELECT FROM smartpark.edge_state WHERE edge_id = %(edge)s AND session >= %(session)s
);

-- record_birth --
INSERT INTO smartpark.edge_state AS s (edge_id, online, boot, session, software, points, born_at)
VALUES (%(edge)s, true, %(boot)s, %(session)s, %(software)s, %(points)s, %(at)s)
ON CONFLICT (edge_id) DO UPDATE SET
    -- The same session, already known dead, stays dead: the retained birth outlives its edge.
    online = s.online OR s.session IS DISTINCT FROM excluded.session,
    born_at = CASE WHEN s.session = excluded.session THEN s.born_at ELSE excluded.born_at END,
    boot = excluded.boot, session = excluded.session, software = excluded.software, points = excluded.points
WHERE s.session IS NULL OR s.session <= excluded.session;

-- record_death --
WITH died AS (
    INSERT INTO smartpark.edge_state AS s (edge_id, online, boot, session, died_at)
    VALUES (%(edge)s, false, %(boot)s, %(session)s, %(at)s)
    ON CONFLICT (edge_id) DO UPDATE SET online = false, died_at = excluded.died_at
    WHERE s.session = excluded.session AND s.online
    RETURNING edge_id
)
INSERT INTO smartpark.edge_event (edge_id, at, event, boot, session)
SELECT edge_id, %(at)s, 'death', %(boot)s, %(session)s FROM died;

-- record_status --
-- A status proves that its session lives, whatever a will of that session said before.
INSERT INTO smartpark.edge_state AS s (edge_id, online, boot, session, status_at, status)
VALUES (%(edge)s, true, %(boot)s, %(session)s, %(at)s, %(status)s)
ON CONFLICT (edge_id) DO UPDATE SET
    online = true, boot = excluded.boot, session = excluded.session,
    status_at = excluded.status_at, status = excluded.status
WHERE s.session IS NULL OR s.session <= excluded.session;

-- edges_overview --
-- A code with a colon is no agent's: an import of files.
SELECT
    e.edge_id, e.code, coalesce(s.online, false), coalesce(s.software, ''), s.points, s.born_at, s.died_at,
    s.status_at, s.status
FROM smartpark.edge AS e
LEFT JOIN smartpark.edge_state AS s ON s.edge_id = e.edge_id
WHERE strpos(e.code, ':') = 0
ORDER BY e.code;

-- Statements about roles that log in.

-- fit_role --
CALL smartpark.fit_role(%(role)s::name);

-- role_exists --
SELECT true FROM pg_roles WHERE rolname = %(role)s;

-- codes_of_parks --
SELECT code FROM smartpark.park WHERE code = ANY(%(parks)s::text[]);

-- drop_reader_parks --
DELETE FROM smartpark.grafana_reader WHERE role = %(role)s;

-- add_reader_parks --
INSERT INTO smartpark.grafana_reader (role, park) SELECT %(role)s, unnest(%(parks)s::text[]);

-- list_readers --
SELECT g.role, array_agg(g.park ORDER BY g.park), coalesce(bool_and(r.rolcanlogin), false)
FROM smartpark.grafana_reader AS g
LEFT JOIN pg_roles AS r ON r.rolname = g.role
GROUP BY g.role
ORDER BY g.role;

-- end_sessions_of_role --
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %(role)s;

-- What a backup says of itself: a dump fits a server of its PostgreSQL major version or newer, and exactly its TimescaleDB.
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
\pset fieldsep =
SELECT 'kind', :'kind'
UNION ALL SELECT 'database', current_database()
UNION ALL SELECT 'server_version_num', current_setting('server_version_num')
UNION ALL SELECT 'timescaledb', coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '');

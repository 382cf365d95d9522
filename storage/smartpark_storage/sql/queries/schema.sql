-- Statements about the database itself.

-- describe_database --
SELECT
    split_part(current_setting('server_version'), ' ', 1),
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb');

-- timescale_is_loadable --
-- Whether the server has the extension and has preloaded it, so that CREATE EXTENSION can work.
SELECT
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    AND current_setting('shared_preload_libraries', true) LIKE '%timescaledb%';

-- create_timescale --
CREATE EXTENSION IF NOT EXISTS timescaledb;

-- lock_migrations --
SELECT pg_advisory_lock(7262001);

-- unlock_migrations --
SELECT pg_advisory_unlock(7262001);

-- create_migration_table --
CREATE TABLE IF NOT EXISTS smartpark.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- create_schema --
CREATE SCHEMA IF NOT EXISTS smartpark;

-- migration_table_exists --
SELECT to_regclass('smartpark.migration') IS NOT NULL;

-- applied_migrations --
SELECT number, name, checksum FROM smartpark.migration ORDER BY number;

-- record_migration --
INSERT INTO smartpark.migration (number, name, checksum) VALUES (%(number)s, %(name)s, %(checksum)s);

-- reading_span --
SELECT min(time), max(time) FROM smartpark.reading;

-- refresh_15m --
CALL refresh_continuous_aggregate('smartpark.reading_15m', %(start)s::timestamptz, %(end)s::timestamptz);

-- refresh_hour --
CALL refresh_continuous_aggregate('smartpark.reading_hour', %(start)s::timestamptz, %(end)s::timestamptz);

-- refresh_day --
CALL refresh_continuous_aggregate('smartpark.reading_day', %(start)s::timestamptz, %(end)s::timestamptz);

-- refresh_park_hour --
CALL refresh_continuous_aggregate('smartpark.reading_park_hour', %(start)s::timestamptz, %(end)s::timestamptz);

-- database_exists --
SELECT EXISTS (SELECT FROM pg_database WHERE datname = %(name)s);

-- create_smartpark_database --
CREATE DATABASE smartpark;

-- end_other_sessions --
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';

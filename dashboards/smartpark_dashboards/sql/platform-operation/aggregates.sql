-- How far behind the aggregates of readings are: since the newest moment that all of them hold, and since they were last
-- brought up to date. Plain PostgreSQL computes them when asked: there neither is known. And since the newest migration.
SELECT
    extract(epoch FROM now() - aggregated_until)::float8 AS behind, extract(epoch FROM now() - refreshed_at)::float8 AS refreshed,
    extract(epoch FROM now() - migrated_at)::float8 AS migrated
FROM park.database_state

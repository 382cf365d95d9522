-- Hours in which gauges of a device brought readings that something is derived from. No key: a writer that finds a mark
-- locks it until it commits instead of adding one, and one that finds none, or only such as a worker is just taking,
-- adds one. So nobody ever waits, and a mark twice does no harm.
CREATE TABLE smartpark.stale_hour (
    park text NOT NULL,
    device text NOT NULL,
    hour timestamptz NOT NULL
);
CREATE INDEX stale_hour_place ON smartpark.stale_hour (park, hour, device);
GRANT SELECT ON smartpark.stale_hour TO smartpark_api, smartpark_ingest;
-- Locking a mark asks for UPDATE.
GRANT INSERT, UPDATE, DELETE ON smartpark.stale_hour TO smartpark_ingest;

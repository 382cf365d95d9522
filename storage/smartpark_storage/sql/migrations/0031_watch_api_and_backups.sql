-- What the platform's own page could not show: how the API answers, and when the database was last backed up. Both are of
-- the installation and of no park: they are shown to whoever sees every park.

-- --- the API ----------------------------------------------------------------------------------------------------------

-- Requests by minute, hour and day of the park's calendar, each the sum of what came in it: so a long span is not added
-- up from minutes, which are forgotten soon. A route is the one of the API's description, never what was asked for. What
-- several processes answer is added up.
CREATE TABLE smartpark.api_traffic (
    grain text NOT NULL CHECK (grain IN ('minute', 'hour', 'day')),
    start timestamptz NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    requests integer NOT NULL,
    -- Answers 4xx and 5xx.
    client_errors integer NOT NULL,
    server_errors integer NOT NULL,
    -- Of all of them together, until the whole answer.
    seconds double precision NOT NULL,
    -- How many took up to 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10 s, and longer; each is counted once.
    counts integer[] NOT NULL CHECK (cardinality(counts) = 11),
    PRIMARY KEY (grain, start, method, route)
);

-- Of each hour the minutes in which a process of the API was there, the first bit its first minute. A minute without
-- requests is a counted nothing if and only if its bit is set.
CREATE TABLE smartpark.api_presence (
    hour timestamptz PRIMARY KEY,
    minutes bit(60) NOT NULL
);

-- How far each process has written, so that what was committed is not added again by one that did not hear of it.
CREATE TABLE smartpark.api_process (
    process uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE VIEW park.api_traffic AS
SELECT start AS time, grain, method, route, requests, client_errors, server_errors, seconds FROM smartpark.api_traffic;

-- `up_to` is null where it took longer than the last bound.
CREATE VIEW park.api_latency AS
SELECT t.start AS time, t.grain, t.method, t.route, b.above, b.up_to, t.counts[b.number] AS requests
FROM smartpark.api_traffic AS t
CROSS JOIN (
    VALUES
        (1, 0::float8, 0.01::float8), (2, 0.01, 0.025), (3, 0.025, 0.05), (4, 0.05, 0.1), (5, 0.1, 0.25),
        (6, 0.25, 0.5), (7, 0.5, 1), (8, 1, 2.5), (9, 2.5, 5), (10, 5, 10), (11, 10, NULL)
) AS b (number, above, up_to)
WHERE t.counts[b.number] > 0;

CREATE VIEW park.api_presence AS
SELECT
    hour AS time, bit_count(minutes)::integer AS minutes,
    ARRAY(SELECT n FROM generate_series(0, 59) AS n WHERE get_bit(minutes, n) = 1) AS minutes_present
FROM smartpark.api_presence;

-- --- backups ----------------------------------------------------------------------------------------------------------

-- One row for each time that somebody backed up, or tried whether a backup comes back.
CREATE TABLE smartpark.backup_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('logical', 'physical', 'drill', 'restore')),
    -- Name of its folder.
    backup text NOT NULL CHECK (backup <> ''),
    -- What a backup holds is of this moment.
    began_at timestamptz NOT NULL,
    -- Null: nobody was left to say.
    ended_at timestamptz,
    bytes bigint CHECK (bytes >= 0),
    outcome text NOT NULL CHECK (outcome IN ('done', 'failed', 'stopped', 'killed')),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (ended_at >= began_at),
    CHECK (ended_at IS NOT NULL OR outcome = 'killed')
);
CREATE INDEX backup_run_newest ON smartpark.backup_run (began_at DESC);

-- The one thing that the role of backups may write, and only ever a row more. Clocks of two machines differ a little; what
-- is of tomorrow would look young for long.
CREATE FUNCTION smartpark.record_backup(
    kind text, backup text, began_at timestamptz, ended_at timestamptz, bytes bigint, outcome text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF greatest(began_at, ended_at) > now() + INTERVAL '10 minutes' THEN
        RAISE EXCEPTION 'the clock of whoever backed up is ahead: % is yet to come', greatest(began_at, ended_at);
    END IF;
    INSERT INTO smartpark.backup_run (kind, backup, began_at, ended_at, bytes, outcome)
    VALUES (kind, backup, began_at, ended_at, bytes, outcome);
END $$;
REVOKE ALL ON FUNCTION smartpark.record_backup(text, text, timestamptz, timestamptz, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smartpark.record_backup(text, text, timestamptz, timestamptz, bigint, text)
    TO smartpark_backup;

CREATE VIEW park.backup_run AS
SELECT
    began_at AS time, ended_at, kind, backup, bytes, outcome, outcome = 'done' AS is_good,
    kind IN ('logical', 'physical') AS is_backup
FROM smartpark.backup_run;

-- --- who may ----------------------------------------------------------------------------------------------------------

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_traffic', 'api_presence', 'api_process', 'backup_run'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, '(SELECT smartpark.sees_all(''operation''))');
        EXECUTE format('GRANT SELECT ON smartpark.%I TO smartpark_api, smartpark_ingest', name);
        CONTINUE WHEN name = 'backup_run';
        EXECUTE format('GRANT INSERT, UPDATE ON smartpark.%I TO smartpark_api', name);
        -- Old rows are forgotten by a worker.
        EXECUTE format('GRANT DELETE ON smartpark.%I TO smartpark_ingest', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['api_traffic', 'api_presence', 'backup_run'] LOOP
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass, '(SELECT smartpark.reads_all())');
    END LOOP;
    FOREACH name IN ARRAY ARRAY['api_traffic', 'api_latency', 'api_presence', 'backup_run'] LOOP
        EXECUTE format('GRANT SELECT ON park.%I TO smartpark_grafana, smartpark_ingest', name);
        CALL smartpark.show(name);
    END LOOP;
END $do$;

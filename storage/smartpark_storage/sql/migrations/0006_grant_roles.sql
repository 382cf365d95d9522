-- Three roles, each with what it needs and no more. They cannot log in until the operator gives them a password
-- (`smartpark database password`). Roles belong to the whole server, so another database may have made them before.

DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['smartpark_ingest', 'smartpark_api', 'smartpark_grafana'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;  -- made by another database this instant
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'role % does not exist and % may not create it; let an administrator run: CREATE ROLE % NOLOGIN',
                        wanted, current_user, wanted;
            END;
        END IF;
    END LOOP;
END $do$;

GRANT USAGE ON SCHEMA park TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT ON ALL TABLES IN SCHEMA park TO smartpark_grafana, smartpark_api, smartpark_ingest;

GRANT USAGE ON SCHEMA smartpark TO smartpark_api, smartpark_ingest;
GRANT SELECT ON ALL TABLES IN SCHEMA smartpark TO smartpark_api, smartpark_ingest;

GRANT INSERT ON smartpark.reading TO smartpark_ingest;
GRANT INSERT, UPDATE ON
    smartpark.latest, smartpark.edge, smartpark.edge_state, smartpark.edge_event, smartpark.batch_floor,
    smartpark.dead_letter, smartpark.interval_energy, smartpark.indicator TO smartpark_ingest;
GRANT INSERT, DELETE ON smartpark.batch_ledger TO smartpark_ingest;
-- Claiming locks rows before it deletes them, and locking asks for UPDATE.
GRANT INSERT, UPDATE, DELETE ON smartpark.stale_mark TO smartpark_ingest;

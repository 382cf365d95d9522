-- Whoever reads the views of the schema `park` is shown the parks that are theirs: the role of Grafana all of them, a
-- reader of Grafana's some. Then views of what no view showed yet, and the roles that read them, with limits.
--
-- The views belong to a role of their own, which does not own the tables; so the rules of the tables hold for them. It
-- is nobody's to log in. Hypertables and continuous aggregates can have no rule: their views join the points, which do,
-- and give no number that can be known before that join, whatever a condition costs or raises (`beside` below). So do
-- those of tables so large that asking each row for its park would cost more than the answer.

-- --- roles ------------------------------------------------------------------------------------------------------------

DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['smartpark_views', 'smartpark_backup'] LOOP
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

-- Changes a role of the whole server, which several databases share and may be changing at this moment. Who may not is
-- told what an administrator has to run; what it guards is then not guarded, and nothing else is wrong.
CREATE PROCEDURE smartpark.change_role(statement text) LANGUAGE plpgsql AS $$
BEGIN
    FOR attempt IN 1 .. 200 LOOP
        BEGIN
            EXECUTE statement;
            RETURN;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE WARNING '% may not; an administrator runs: %', current_user, statement;
                RETURN;
            WHEN unique_violation THEN NULL;
            WHEN internal_error THEN
                IF SQLERRM NOT LIKE 'tuple concurrently %' THEN RAISE; END IF;
        END;
        PERFORM pg_sleep(0.01 + random() / 50);
    END LOOP;
    RAISE EXCEPTION 'others keep changing the same role; try again: %', statement;
END $$;

-- What a role is and may use, as far as it is not so already: `smartpark database` asks for it again whenever it lets one
-- in, for a server that was restored from a dump knows roles by their names only.
CREATE PROCEDURE smartpark.fit_role(wanted name) LANGUAGE plpgsql AS $$
DECLARE
    known pg_roles;
    setting text;
BEGIN
    SELECT * INTO known FROM pg_roles WHERE rolname = wanted;
    IF wanted = 'smartpark_backup' THEN
        IF NOT known.rolbypassrls OR NOT known.rolreplication THEN
            CALL smartpark.change_role(format('ALTER ROLE %I REPLICATION BYPASSRLS', wanted));
        END IF;
        IF NOT pg_has_role(wanted, 'pg_read_all_data', 'MEMBER') THEN
            CALL smartpark.change_role(format('GRANT pg_read_all_data TO %I', wanted));
        END IF;
    ELSIF wanted ~ '^smartpark_grafana(_|$)' THEN
        -- A panel that nobody waits for any more, a session that forgot to end, a dashboard that opens too many. And what
        -- makes a question of 20 ms wait half a second for machine code, because the rules make it look expensive.
        FOREACH setting IN ARRAY ARRAY[
            'statement_timeout=30s', 'idle_in_transaction_session_timeout=1min', 'default_transaction_read_only=on',
            'jit=off'
        ] LOOP
            IF NOT setting = ANY (coalesce(known.rolconfig, '{}')) THEN
                CALL smartpark.change_role(format(
                    'ALTER ROLE %I SET %I = %L', wanted, split_part(setting, '=', 1), split_part(setting, '=', 2)
                ));
            END IF;
        END LOOP;
        IF known.rolconnlimit <> 20 THEN
            CALL smartpark.change_role(format('ALTER ROLE %I CONNECTION LIMIT 20', wanted));
        END IF;
    END IF;
END $$;
REVOKE ALL ON PROCEDURE smartpark.change_role(text), smartpark.fit_role(name) FROM PUBLIC;
CALL smartpark.fit_role('smartpark_grafana');
CALL smartpark.fit_role('smartpark_backup');

-- --- whose rows -------------------------------------------------------------------------------------------------------

-- Roles that log in for some of Grafana's users, and what they read. `smartpark database reader` keeps it.
CREATE TABLE smartpark.grafana_reader (
    role text NOT NULL CHECK (role ~ '^smartpark_grafana_.'),
    park text NOT NULL REFERENCES smartpark.park,
    PRIMARY KEY (role, park)
);

-- Whether whoever is connected reads the rows of all parks, and of no park: Grafana's own role, whoever may act as a role
-- of the platform's servers or owns the database. Nobody else, whatever roles they are given.
CREATE FUNCTION smartpark.reads_all() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN session_user = 'smartpark_grafana'
        OR pg_has_role(session_user, 'smartpark_api', 'MEMBER')
        OR pg_has_role(session_user, 'smartpark_ingest', 'MEMBER')
        OR pg_has_role(session_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER')
        OR pg_has_role(session_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'smartpark'), 'MEMBER');
END $$;

CREATE FUNCTION smartpark.parks_read() RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT park FROM smartpark.grafana_reader WHERE role = session_user);
END $$;
REVOKE ALL ON FUNCTION smartpark.reads_all(), smartpark.parks_read() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smartpark.reads_all(), smartpark.parks_read()
    TO smartpark_grafana, smartpark_api, smartpark_ingest;

-- For migrations: conditions as those of 0024, and what lets the views read a table, under one of them where its rows are
-- somebody's.
CREATE FUNCTION smartpark.of_read_park(park_column text DEFAULT 'park') RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format(
        '(SELECT smartpark.reads_all()) OR %s = ANY ((SELECT smartpark.parks_read())::text[])', park_column
    )
$$;
CREATE FUNCTION smartpark.of_read_row(owner text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT format('(SELECT smartpark.reads_all()) OR EXISTS (SELECT FROM %s)', owner) $$;
CREATE PROCEDURE smartpark.let_views_read(relation regclass, shown text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON %s TO smartpark_views', relation);
    IF shown IS NOT NULL THEN
        EXECUTE format('CREATE POLICY readers ON %s FOR SELECT TO smartpark_views USING (%s)', relation, shown);
    END IF;
END $$;
REVOKE ALL ON FUNCTION smartpark.of_read_park(text), smartpark.of_read_row(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE smartpark.let_views_read(regclass, text) FROM PUBLIC;

-- As before, and then the view of the schema `park` goes to the role that its readers' rules are about.
CREATE OR REPLACE PROCEDURE smartpark.show(view name) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE VIEW seen.%1$I WITH (security_invoker = true) AS %2$s', view,
        pg_get_viewdef(format('park.%I', view)::regclass)
    );
    EXECUTE format('GRANT SELECT ON seen.%I TO smartpark_api', view);
    CALL smartpark.give_to_views(view);
END $$;
CREATE PROCEDURE smartpark.give_to_views(view name) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER VIEW park.%I OWNER TO smartpark_views', view);
END $$;
-- For views whose tables can have no rule: the twin holds the rule of 0024 itself.
CREATE PROCEDURE smartpark.show_filtered(view name, shown text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE VIEW seen.%1$I WITH (security_barrier) AS SELECT * FROM park.%1$I WHERE %2$s', view, shown
    );
    EXECUTE format('GRANT SELECT ON seen.%I TO smartpark_api', view);
    CALL smartpark.give_to_views(view);
END $$;
REVOKE ALL ON PROCEDURE
    smartpark.show(name), smartpark.give_to_views(name), smartpark.show_filtered(name, text) FROM PUBLIC;

-- An owner who is no superuser gives a view only to a role that it may act as, and that may make one there.
GRANT CREATE ON SCHEMA park TO smartpark_views;
DO $do$
BEGIN
    -- Since PostgreSQL 16 whoever makes a role is a member who may not act as it: USAGE tells, MEMBER does not.
    IF NOT pg_has_role(current_user, 'smartpark_views', 'USAGE') THEN
        EXECUTE format('GRANT smartpark_views TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION '% may not act as smartpark_views; let an administrator run: GRANT smartpark_views TO %',
        current_user, current_user;
END $do$;
-- The same of the role of 0024, which could not tell.
DO $do$
BEGIN
    IF NOT pg_has_role(current_user, 'smartpark_api', 'USAGE') THEN
        CALL smartpark.change_role(format('GRANT smartpark_api TO %I', current_user));
    END IF;
END $do$;

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'sub_park', 'enterprise', 'transformer', 'feeder', 'device', 'contract', 'virtual_meter', 'meter_change', 'point',
        'catalogue_version', 'business_figure', 'indicator_series', 'submission', 'load_request', 'alert', 'stale_hour',
        'stale_ratio', 'alert_intent'
    ] LOOP
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass, smartpark.of_read_park());
    END LOOP;
    CALL smartpark.let_views_read('smartpark.park', smartpark.of_read_park('code'));
    -- What is of no park is about one's own too.
    FOREACH name IN ARRAY ARRAY['factor', 'alert_rule', 'alert_silence'] LOOP
        CALL smartpark.let_views_read(
            format('smartpark.%I', name)::regclass, 'park IS NULL OR ' || smartpark.of_read_park()
        );
    END LOOP;
    CALL smartpark.let_views_read(
        'smartpark.dead_letter', smartpark.of_read_park('split_part(point_key, ''/'', 1)')
    );
    -- Only read beside a row that has a rule.
    FOREACH name IN ARRAY ARRAY['latest', 'point_version', 'indicator_value', 'alert_event'] LOOP
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass, 'true');
    END LOOP;
    CALL smartpark.let_views_read('smartpark.indicator_origin');
    FOREACH name IN ARRAY ARRAY['load_request_event', 'outbox', 'notice'] LOOP
        CALL smartpark.let_views_read(
            format('smartpark.%I', name)::regclass,
            smartpark.of_read_row(format('smartpark.load_request AS r WHERE r.code = %I.code', name))
        );
    END LOOP;
    CALL smartpark.let_views_read(
        'smartpark.aggregate_source',
        smartpark.of_read_row('smartpark.park AS p WHERE p.source = aggregate_source.source')
    );
    -- Of no park and of all.
    FOREACH name IN ARRAY ARRAY['edge', 'edge_state'] LOOP
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass, '(SELECT smartpark.reads_all())');
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'reading', 'reading_15m', 'reading_hour', 'reading_day', 'interval_energy', 'stale_mark', 'reading_change'
    ] LOOP
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass);
    END LOOP;
END $do$;

-- What depends on the row beside it is known after the join with the rows that are shown, and not before: no condition
-- that tells what it was asked of (by an error, by its cost) is asked of others. Times, and numbers of points, stay bare,
-- because indexes find by them: that there is a reading of some point at a moment is all that can be learnt.
CREATE FUNCTION smartpark.beside(key bigint, value anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE WHEN key >= 0 THEN value END $$;

CREATE OR REPLACE VIEW park.reading AS
SELECT
    r.time, r.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
    smartpark.shown(r.scaled::float8, r.raw, p.exponent) * v.multiplier AS value,
    smartpark.beside(p.point_id, r.status::bigint & 4294967295) AS status,
    smartpark.quality(smartpark.beside(p.point_id, r.status)) AS quality
FROM smartpark.reading AS r
JOIN smartpark.point AS p ON p.point_id = r.point_id
JOIN smartpark.point_version AS v
    ON v.point_id = r.point_id AND v.valid_from <= r.time AND r.time < v.valid_to;

DO $do$
DECLARE
    grain text;
BEGIN
    FOREACH grain IN ARRAY ARRAY['15m', 'hour', 'day'] LOOP
        EXECUTE format($sql$
            CREATE OR REPLACE VIEW park.reading_%1$s AS
            SELECT
                b.bucket AS time, b.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
                smartpark.shown(b.first_scaled::float8, b.first_raw, p.exponent) * v.multiplier AS first_value,
                smartpark.shown(b.last_scaled::float8, b.last_raw, p.exponent) * v.multiplier AS last_value,
                least(smartpark.shown(b.low_scaled::float8, NULL, p.exponent), b.low_raw) * v.multiplier AS min_value,
                greatest(smartpark.shown(b.high_scaled::float8, NULL, p.exponent), b.high_raw) * v.multiplier
                    AS max_value,
                CASE WHEN b.readings > 0 THEN (
                    coalesce(smartpark.shown(b.total_scaled / b.readings, NULL, p.exponent), 0)
                    + coalesce(b.total_raw / b.readings, 0)
                ) * v.multiplier END AS mean_value,
                smartpark.beside(p.point_id, b.first_time) AS first_time,
                smartpark.beside(p.point_id, b.last_time) AS last_time,
                smartpark.beside(p.point_id, b.readings) AS readings,
                smartpark.beside(p.point_id, b.uncertain) AS uncertain_readings,
                smartpark.beside(p.point_id, b.bad) AS bad_readings
            FROM smartpark.reading_%1$s AS b
            JOIN smartpark.point AS p ON p.point_id = b.point_id
            JOIN smartpark.point_version AS v
                ON v.point_id = b.point_id AND v.valid_from <= b.bucket AND b.bucket < v.valid_to
        $sql$, grain);
    END LOOP;
END $do$;

CREATE OR REPLACE VIEW park.latest AS
SELECT
    r.time, r.point_id, p.key AS point, p.park, p.device, p.code, p.measurand, p.unit,
    smartpark.shown(r.scaled::float8, r.raw, p.exponent) * v.multiplier AS value,
    smartpark.beside(p.point_id, r.status::bigint & 4294967295) AS status,
    smartpark.quality(smartpark.beside(p.point_id, r.status)) AS quality,
    smartpark.beside(p.point_id, r.received_at) AS received_at
FROM smartpark.latest AS r
JOIN smartpark.point AS p ON p.point_id = r.point_id
JOIN smartpark.point_version AS v
    ON v.point_id = r.point_id AND v.valid_from <= r.time AND r.time < v.valid_to;

DO $do$
DECLARE
    columns CONSTANT text := $sql$
        v.start AS time, s.park, s.indicator, s.grain, v.revision, smartpark.beside(s.series_id, v.value) AS value,
        smartpark.beside(s.series_id, v.numerator) AS numerator,
        smartpark.beside(s.series_id, v.denominator) AS denominator, smartpark.beside(s.series_id, o.unit) AS unit,
        smartpark.beside(s.series_id, v.completeness) AS completeness,
        smartpark.beside(s.series_id, v.estimated_share) AS estimated_share,
        smartpark.beside(s.series_id, o.method) AS method, smartpark.beside(s.series_id, o.factor_set) AS factor_set,
        smartpark.beside(s.series_id, o.factors) AS factors, smartpark.beside(s.series_id, o.reason) AS reason,
        v.computed_at
    $sql$;
    uncertainty CONSTANT text := 's.boundary, smartpark.beside(s.series_id, v.uncertainty) AS uncertainty';
    tables CONSTANT text := $sql$
        smartpark.indicator_value AS v
        JOIN smartpark.indicator_series AS s USING (series_id)
        JOIN smartpark.indicator_origin AS o USING (origin_id)
    $sql$;
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE VIEW park.indicator AS SELECT %s, %s FROM %s WHERE v.superseded_at IS NULL',
        columns, uncertainty, tables
    );
    EXECUTE format(
        'CREATE OR REPLACE VIEW park.indicator_revision AS SELECT %s, v.superseded_at, %s FROM %s',
        columns, uncertainty, tables
    );
END $do$;

CREATE OR REPLACE VIEW park.alert_event AS
SELECT
    e.recorded_at AS time, e.alert_id, a.park, a.rule, a.object, a.severity,
    smartpark.beside(a.alert_id, e.sequence) AS sequence, smartpark.beside(a.alert_id, e.at) AS at,
    smartpark.beside(a.alert_id, e.type) AS type, smartpark.beside(a.alert_id, e.actor = 'system') AS is_automatic
FROM smartpark.alert_event AS e
JOIN smartpark.alert AS a USING (alert_id);

CREATE OR REPLACE VIEW park.interval_energy AS
SELECT
    e.start AS time, e.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier,
    d.role, d.enterprise, d.sub_park, d.internal_transfer,
    smartpark.beside(p.point_id, e.amount) AS amount,
    smartpark.beside(p.point_id, e.completeness) AS completeness,
    smartpark.beside(p.point_id, e.estimated_share) AS estimated_share,
    smartpark.beside(p.point_id, e.flags) AS flags
FROM smartpark.interval_energy AS e
JOIN smartpark.point AS p ON p.point_id = e.point_id
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device;

DO $do$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'park'::regnamespace AND relkind = 'v' LOOP
        CALL smartpark.give_to_views(name);
    END LOOP;
END $do$;

-- Of registers too a meter has a total beside those of its phases and tariffs: as in core's `balance_rule`.
CREATE OR REPLACE VIEW park.boundary_flow AS
WITH metered AS (
    SELECT
        p.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier, d.role,
        d.role = 'generation' AND bool_or(p.measurand = 'active_energy_export') OVER of_device AS is_reversed,
        CASE WHEN p.measurand = 'active_power' THEN p.code = p.measurand
            ELSE p.code !~ ('^' || p.measurand || '_([abc]|l[123]|t[1-9]|sharp|peak|flat|valley)$') END
            OR NOT bool_or(p.code = p.measurand) OVER of_measurand AS is_whole
    FROM smartpark.point AS p
    JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
    WHERE p.retired_at IS NULL AND d.role IN ('boundary', 'generation') AND NOT d.internal_transfer
    WINDOW of_device AS (PARTITION BY p.park, p.device), of_measurand AS (PARTITION BY p.park, p.device, p.measurand)
)
SELECT
    point_id, point, park, device, measurand, unit, carrier, role,
    CASE
        WHEN measurand = 'active_power' THEN CASE WHEN is_reversed THEN -1 ELSE 1 END
        WHEN role = 'boundary' THEN CASE WHEN measurand = 'active_energy_export' THEN -1 ELSE 1 END
        ELSE CASE WHEN is_reversed AND measurand <> 'active_energy_export' THEN -1 ELSE 1 END
    END AS sign
FROM metered
WHERE CASE
    WHEN measurand = 'active_power' THEN carrier IN ('electricity', 'photovoltaic') AND is_whole
    WHEN carrier IN (
        'acetylene', 'carbide', 'co2_gas', 'compressed_air', 'deaerated_water',
        'limestone', 'nitrogen', 'nitrogen_by', 'nitrogen_main', 'oxygen',
        'soda_ash', 'soft_water', 'water'
    ) THEN false
    WHEN measurand IN ('active_energy_import', 'active_energy_export') THEN is_whole
    ELSE role = 'boundary' AND measurand IN ('gas_volume', 'heat_energy', 'steam_mass', 'fuel_mass') AND is_whole
END;
CALL smartpark.show('boundary_flow');

-- What was corrected when, among the many that were not.
CREATE INDEX indicator_value_superseded ON smartpark.indicator_value (superseded_at) WHERE superseded_at IS NOT NULL;

-- --- alerts and load requests -----------------------------------------------------------------------------------------

-- Spans in which people are not told, without why and by whom; one that was ended early ends then.
CREATE VIEW park.alert_silence AS
SELECT
    s.starts_at AS time, least(s.ends_at, s.ended_at) AS ends, s.silence_id, s.park, s.kind,
    coalesce(nullif(array_to_string(m.rules || m.objects || m.devices || m.edges || m.causes || m.severities, ', '), ''), '*')
        AS covers,
    m.rules, m.objects, m.devices, m.edges, m.causes, m.severities
FROM smartpark.alert_silence AS s
CROSS JOIN LATERAL (
    SELECT
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'rules')) AS rules,
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'objects')) AS objects,
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'devices')) AS devices,
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'edges')) AS edges,
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'causes')) AS causes,
        ARRAY(SELECT jsonb_array_elements_text(s.matchers -> 'severities')) AS severities
) AS m
WHERE s.ended_at IS NULL OR s.ended_at > s.starts_at;

-- Stages of load requests: when each was in which. Events that were undone never happened.
DO $do$
DECLARE
    turns CONSTANT text := $sql$
        SELECT
            e.code, e.at AS entered_at, lead(e.at) OVER (PARTITION BY e.code ORDER BY e.sequence) AS left_at,
            CASE
                WHEN e.type IN ('moved', 'sent_back') THEN e.body ->> 'to'
                WHEN e.type = 'opened' THEN CASE WHEN (e.body ->> 'is_lead')::boolean THEN 'lead' ELSE 'acceptance' END
            END AS stage
        FROM smartpark.load_request_event AS e
        WHERE e.type IN ('opened', 'moved', 'sent_back', 'withdrawn', 'rejected') AND NOT EXISTS (
            SELECT FROM smartpark.load_request_event AS u
            WHERE u.code = e.code AND u.type = 'undone' AND (u.body ->> 'sequence')::integer = e.sequence
        )
    $sql$;
    place CONSTANT text := $sql$
        array_position(ARRAY[
            'lead', 'acceptance', 'survey', 'access_study', 'scheme_reply', 'design_review', 'construction',
            'mid_inspection', 'completion_inspection', 'contract', 'energization', 'archiving'
        ], %s)
    $sql$;
BEGIN
    EXECUTE format($sql$
        CREATE VIEW park.load_request_stage AS
        WITH turned AS (%s), been AS (
            SELECT
                code, stage, min(entered_at) AS entered_at, count(*)::integer AS visits,
                CASE WHEN bool_and(left_at IS NOT NULL) THEN max(left_at) END AS left_at
            FROM turned WHERE stage IS NOT NULL GROUP BY code, stage
        )
        SELECT
            b.entered_at AS time, b.left_at, b.code, r.park, r.kind, b.stage, %s AS stage_order, b.visits,
            (r.stage_days -> b.stage ->> 'utility')::integer AS utility_days,
            (r.stage_days -> b.stage ->> 'customer')::integer AS customer_days,
            (r.stage_days -> b.stage ->> 'government')::integer AS government_days,
            (SELECT sum(d.days::integer)::integer FROM jsonb_each_text(r.stage_days -> b.stage) AS d (owner, days))
                AS working_days,
            CASE WHEN r.outcome IS NULL AND r.stage = b.stage THEN r.owner END AS turn, r.applied_kva
        FROM been AS b
        JOIN smartpark.load_request AS r ON r.code = b.code
    $sql$, turns, format(place, 'b.stage'));
    -- As each local day ended. A request that entered and left a stage on one day is not in it at its end.
    EXECUTE format($sql$
        CREATE VIEW park.load_request_day AS
        WITH turned AS (%s), step AS (
            SELECT
                r.park, t.stage, (s.at AT TIME ZONE 'Asia/Shanghai')::date AS day, sum(s.sign) AS requests,
                sum(s.sign * r.applied_kva::numeric) AS applied_kva
            FROM turned AS t
            JOIN smartpark.load_request AS r ON r.code = t.code
            CROSS JOIN LATERAL (VALUES (t.entered_at, 1), (t.left_at, -1)) AS s (at, sign)
            WHERE t.stage IS NOT NULL AND s.at IS NOT NULL
            GROUP BY 1, 2, 3
        ), day AS (
            SELECT park, generate_series(
                min(day), greatest(max(day), (now() AT TIME ZONE 'Asia/Shanghai')::date), INTERVAL '1 day'
            )::date AS day
            FROM step GROUP BY park
        ), stage AS (SELECT DISTINCT park, stage FROM step), every AS (
            -- Days without a step are added with nothing: looking for the step of each costs a hundred times as much.
            SELECT park, stage, day, requests, applied_kva FROM step
            UNION ALL
            SELECT d.park, g.stage, d.day, 0, 0 FROM day AS d JOIN stage AS g ON g.park = d.park
        ), whole AS (
            SELECT park, stage, day, sum(requests) AS requests, sum(applied_kva) AS applied_kva
            FROM every GROUP BY 1, 2, 3
        )
        SELECT
            w.day::timestamp AT TIME ZONE 'Asia/Shanghai' AS time, w.park, w.stage, %s AS stage_order,
            (sum(w.requests) OVER upto)::bigint AS requests, (sum(w.applied_kva) OVER upto)::float8 AS applied_kva
        FROM whole AS w
        WINDOW upto AS (PARTITION BY w.park, w.stage ORDER BY w.day)
    $sql$, turns, format(place, 'w.stage'));
END $do$;

-- --- energy by days ---------------------------------------------------------------------------------------------------

-- Quarter-hours by local day, kept as they are written: a year of a thousand counters is 365,000 rows and not 35 million.
CREATE TABLE smartpark.energy_day (
    point_id integer NOT NULL,
    start timestamptz NOT NULL,
    -- Null: of no quarter-hour one is known.
    amount double precision,
    -- Sums over the quarter-hours that are known: of their completeness, of their size, and of what of it is estimated.
    covered double precision NOT NULL DEFAULT 0,
    size double precision NOT NULL DEFAULT 0,
    estimated double precision NOT NULL DEFAULT 0,
    quarters smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (point_id, start)
) WITH (fillfactor = 80);
CREATE INDEX energy_day_start ON smartpark.energy_day (start, point_id);

-- Sums the days anew that a statement has touched. Whoever sums a day holds its row until the commit, and looks at what
-- there is with a later snapshot than the one that waited: two who write quarter-hours of one day leave the sum of both.
CREATE FUNCTION smartpark.sum_energy_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched_points integer[];
    touched_days timestamptz[];
BEGIN
    WITH touched AS (
        SELECT DISTINCT point_id, date_trunc('day', start, 'Asia/Shanghai') AS start FROM changed
    )
    SELECT array_agg(point_id ORDER BY point_id, start), array_agg(start ORDER BY point_id, start)
    INTO touched_points, touched_days FROM touched;
    IF touched_points IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO smartpark.energy_day (point_id, start)
    SELECT * FROM unnest(touched_points, touched_days) ON CONFLICT DO NOTHING;
    PERFORM FROM smartpark.energy_day
    WHERE (point_id, start) IN (SELECT * FROM unnest(touched_points, touched_days))
    ORDER BY point_id, start FOR NO KEY UPDATE;
    UPDATE smartpark.energy_day AS d
    SET amount = s.amount, covered = s.covered, size = s.size, estimated = s.estimated, quarters = s.quarters
    FROM unnest(touched_points, touched_days) AS t (point_id, start)
    CROSS JOIN LATERAL (
        SELECT
            sum(e.amount) AS amount, coalesce(sum(e.completeness::float8), 0) AS covered,
            coalesce(sum(abs(e.amount)), 0) AS size,
            coalesce(sum(abs(e.amount) * e.estimated_share), 0) AS estimated, count(*) AS quarters
        FROM smartpark.interval_energy AS e
        WHERE e.point_id = t.point_id AND e.start >= t.start AND e.start < t.start + INTERVAL '24 hours'
            AND e.amount IS NOT NULL
    ) AS s
    WHERE d.point_id = t.point_id AND d.start = t.start;
    RETURN NULL;
END $$;
CREATE FUNCTION smartpark.forget_energy_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    TRUNCATE smartpark.energy_day;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION smartpark.sum_energy_days(), smartpark.forget_energy_days() FROM PUBLIC;
CREATE TRIGGER energy_days_of_new AFTER INSERT ON smartpark.interval_energy
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION smartpark.sum_energy_days();
CREATE TRIGGER energy_days_of_changed AFTER UPDATE ON smartpark.interval_energy
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION smartpark.sum_energy_days();
CREATE TRIGGER energy_days_of_removed AFTER DELETE ON smartpark.interval_energy
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION smartpark.sum_energy_days();
CREATE TRIGGER energy_days_of_all AFTER TRUNCATE ON smartpark.interval_energy
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.forget_energy_days();

INSERT INTO smartpark.energy_day (point_id, start, amount, covered, size, estimated, quarters)
SELECT
    point_id, date_trunc('day', start, 'Asia/Shanghai'), sum(amount),
    coalesce(sum(completeness::float8) FILTER (WHERE amount IS NOT NULL), 0), coalesce(sum(abs(amount)), 0),
    coalesce(sum(abs(amount) * estimated_share), 0), count(amount)
FROM smartpark.interval_energy
GROUP BY 1, 2;

-- Of a day that is not over, what can be there by now.
CREATE VIEW park.energy_day AS
SELECT
    e.start AS time, e.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier,
    d.role, d.enterprise, d.sub_park, d.internal_transfer,
    smartpark.beside(p.point_id, e.amount) AS amount,
    -- least() passes over nulls: of a day whose first quarter-hour is not over it would say that it is whole.
    smartpark.beside(p.point_id, CASE WHEN x.quarters > 0 THEN least(e.covered / x.quarters, 1) END) AS completeness,
    smartpark.beside(p.point_id, CASE
        WHEN e.quarters > 0 THEN CASE WHEN e.size > 0 THEN e.estimated / e.size ELSE 0 END
    END) AS estimated_share,
    smartpark.beside(p.point_id, e.quarters::integer) AS quarters,
    x.quarters AS expected_quarters
FROM smartpark.energy_day AS e
JOIN smartpark.point AS p ON p.point_id = e.point_id
JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN e.start <= now() - INTERVAL '24 hours' THEN 96
        ELSE greatest(floor(extract(epoch FROM now() - e.start) / 900), 0)::integer
    END AS quarters
) AS x;
CALL smartpark.let_views_read('smartpark.energy_day');

-- --- the platform's own page ------------------------------------------------------------------------------------------

-- Readings by hour and park. On TimescaleDB kept, and nothing added on the fly: counting the newest readings would cost a
-- look at all of today's, so an hour is there three quarters of an hour after its end. On plain PostgreSQL computed when
-- asked.
DO $do$
DECLARE
    parts CONSTANT text := $sql$
        SELECT
            public.time_bucket(INTERVAL '1 hour', q.bucket) AS bucket, p.park, sum(q.readings)::bigint AS readings,
            sum(q.uncertain)::bigint AS uncertain, sum(q.bad)::bigint AS bad, count(DISTINCT q.point_id) AS points
        FROM smartpark.reading_15m AS q
        JOIN smartpark.point AS p ON p.point_id = q.point_id
        GROUP BY 1, 2
    $sql$;
BEGIN
    IF EXISTS (SELECT FROM smartpark.migration WHERE name LIKE '%.timescale.sql') THEN
        EXECUTE 'CREATE MATERIALIZED VIEW smartpark.reading_park_hour
            WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS ' || parts || ' WITH NO DATA';
        PERFORM public.add_continuous_aggregate_policy('smartpark.reading_park_hour',
            start_offset => INTERVAL '1800 days', end_offset => INTERVAL '45 minutes',
            schedule_interval => INTERVAL '10 minutes');
    ELSE
        EXECUTE 'CREATE VIEW smartpark.reading_park_hour AS ' || parts;
    END IF;
END $do$;
CALL smartpark.let_views_read('smartpark.reading_park_hour');
GRANT SELECT ON smartpark.reading_park_hour TO smartpark_ingest;

CREATE VIEW park.ingest_rate AS
SELECT
    h.bucket AS time, p.code AS park,
    CASE WHEN p.code <> '' THEN h.readings END AS readings, CASE WHEN p.code <> '' THEN h.uncertain END AS uncertain,
    CASE WHEN p.code <> '' THEN h.bad END AS bad, CASE WHEN p.code <> '' THEN h.points END AS points
FROM smartpark.reading_park_hour AS h
JOIN smartpark.park AS p ON p.code = h.park;

-- What is stored and not done yet. A park in service for which nothing waits has rows with zero.
CREATE VIEW park.waiting_work AS
WITH waiting AS (
    SELECT 'stale_mark' AS kind, p.park, count(*) AS number, min(m.span_start) AS oldest
    FROM smartpark.stale_mark AS m JOIN smartpark.point AS p ON p.point_id = m.point_id
    GROUP BY p.park
    UNION ALL
    SELECT 'stale_hour', park, count(*), min(hour) FROM smartpark.stale_hour GROUP BY park
    UNION ALL
    SELECT 'stale_ratio', park, count(*), min(month::timestamp AT TIME ZONE 'Asia/Shanghai')
    FROM smartpark.stale_ratio GROUP BY park
    UNION ALL
    SELECT 'alert_intent', park, count(*), min(planned_at) FROM smartpark.alert_intent
    WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL
    GROUP BY park
    UNION ALL
    SELECT 'notice', r.park, count(*), min(n.planned_at)
    FROM smartpark.notice AS n LEFT JOIN smartpark.load_request AS r ON r.code = n.code
    WHERE n.done_at IS NULL AND n.given_up_at IS NULL
    GROUP BY r.park
    UNION ALL
    SELECT 'outbox', r.park, count(*), min(e.recorded_at)
    FROM smartpark.outbox AS o
    JOIN smartpark.load_request_event AS e ON e.code = o.code AND e.sequence = o.sequence
    JOIN smartpark.load_request AS r ON r.code = o.code
    WHERE o.done_at IS NULL AND o.given_up_at IS NULL
    GROUP BY r.park
    UNION ALL
    SELECT 'dead_letter', p.code, count(*), min(l.received_at)
    FROM smartpark.dead_letter AS l LEFT JOIN smartpark.park AS p ON p.code = split_part(l.point_key, '/', 1)
    WHERE l.replayed_at IS NULL
    GROUP BY p.code
    UNION ALL
    SELECT 'reading_change', NULL, count(*), min(received_at) FROM smartpark.reading_change
), kind (kind, is_of_a_park, is_of_no_park) AS (
    VALUES
        ('stale_mark', true, false), ('stale_hour', true, false), ('stale_ratio', true, false),
        ('alert_intent', true, true), ('notice', true, true), ('outbox', true, false), ('dead_letter', true, true),
        ('reading_change', false, true)
)
SELECT k.kind, p.code AS park, coalesce(w.number, 0) AS number, w.oldest
FROM smartpark.park AS p
CROSS JOIN kind AS k
LEFT JOIN waiting AS w ON w.kind = k.kind AND w.park = p.code
WHERE k.is_of_a_park AND (p.retired_at IS NULL OR w.number > 0)
UNION ALL
SELECT k.kind, NULL, coalesce(w.number, 0), w.oldest
FROM kind AS k
LEFT JOIN waiting AS w ON w.kind = k.kind AND w.park IS NULL
WHERE k.is_of_no_park AND (SELECT smartpark.reads_all());

-- Whom we pull from: no address and no words of theirs, which may hold one.
CREATE VIEW park.pulled_source AS
SELECT
    source, added_at, pulled_at, complete_at, rows,
    CASE
        WHEN error = '' THEN NULL
        WHEN error ~ '\(tried for \d+ s\)$' THEN 'unreachable'
        WHEN error ~ '→ 4\d\d' THEN 'refused'
        ELSE 'other'
    END AS error_class,
    error_at
FROM smartpark.aggregate_source;

-- The database about itself, with the rights of its owner: the roles that ask may not look.
CREATE FUNCTION smartpark.database_state() RETURNS TABLE (
    database_bytes bigint, reading_bytes bigint, chunks bigint, compressed_chunks bigint, aggregated_until timestamptz,
    refreshed_at timestamptz, failed_jobs bigint, timescale_version text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    aggregates CONSTANT text[] := ARRAY['reading_15m', 'reading_hour', 'reading_day'];
BEGIN
    database_bytes := pg_database_size(current_database());
    SELECT extversion INTO timescale_version FROM pg_extension WHERE extname = 'timescaledb';
    IF timescale_version IS NULL THEN
        reading_bytes := pg_total_relation_size('smartpark.reading');
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE c.is_compressed)
    INTO chunks, compressed_chunks
    FROM timescaledb_information.chunks AS c
    WHERE c.hypertable_schema = 'smartpark' AND c.hypertable_name = 'reading';
    SELECT a.total_bytes INTO reading_bytes FROM public.hypertable_approximate_detailed_size('smartpark.reading') AS a;
    -- One that was never refreshed holds nothing: it is as far behind as the first reading is.
    SELECT min(coalesce(_timescaledb_functions.to_timestamp(nullif(
        _timescaledb_functions.cagg_watermark(c.mat_hypertable_id), _timescaledb_functions.get_internal_time_min('timestamptz'::regtype)
    )), (SELECT r.time FROM smartpark.reading AS r ORDER BY r.time LIMIT 1)))
    INTO aggregated_until
    FROM _timescaledb_catalog.continuous_agg AS c
    WHERE c.user_view_schema = 'smartpark' AND c.user_view_name = ANY (aggregates);
    -- Nor is one whose policy never came to its end as young as the others.
    SELECT nullif(min(coalesce(s.last_successful_finish, '-infinity')), '-infinity'),
        count(*) FILTER (WHERE s.last_run_status = 'Failed')
    INTO refreshed_at, failed_jobs
    FROM timescaledb_information.jobs AS j
    LEFT JOIN timescaledb_information.job_stats AS s ON s.job_id = j.job_id
    WHERE j.proc_name = 'policy_refresh_continuous_aggregate';
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION smartpark.database_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smartpark.database_state() TO smartpark_grafana, smartpark_api, smartpark_ingest;

CREATE VIEW park.database_state AS
SELECT
    now() AS time, s.database_bytes, s.reading_bytes, s.chunks, s.compressed_chunks,
    s.compressed_chunks::float8 / nullif(s.chunks, 0) AS compressed_share, s.aggregated_until, s.refreshed_at,
    s.failed_jobs, s.timescale_version, m.number AS migration, m.name AS migration_name, m.applied_at AS migrated_at
FROM smartpark.database_state() AS s
CROSS JOIN (SELECT number, name, applied_at FROM smartpark.migration ORDER BY number DESC LIMIT 1) AS m
WHERE (SELECT smartpark.reads_all());
CALL smartpark.let_views_read('smartpark.migration');

GRANT SELECT ON
    park.alert_silence, park.load_request_stage, park.load_request_day, park.energy_day, park.ingest_rate,
    park.waiting_work, park.pulled_source, park.database_state TO smartpark_grafana, smartpark_ingest;
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['alert_silence', 'load_request_stage', 'load_request_day', 'pulled_source'] LOOP
        CALL smartpark.show(name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['energy_day', 'ingest_rate', 'waiting_work'] LOOP
        CALL smartpark.show_filtered(name, smartpark.of_seen_park('operation'));
    END LOOP;
    CALL smartpark.show_filtered('database_state', '(SELECT smartpark.sees_all(''operation''))');
END $do$;

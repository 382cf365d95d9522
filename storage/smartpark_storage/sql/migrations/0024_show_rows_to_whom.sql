-- Which rows the API's role is shown and may write: those of the parks that whoever asks was granted, told by the setting
-- `smartpark.principal` of the transaction. A handler that forgets to ask shows nothing; nobody writes into another park.
--
-- On tables these are policies. Hypertables with a columnstore, and continuous aggregates, can have none, and nothing is
-- copied into a table that has one; so of readings and interval energy the role reads views that hold the same rule. The
-- views of the schema `park` show all parks, to Grafana; the role loses them too, and has the same ones in the schema
-- `seen`, which obey the rules of the tables below them.

CREATE TABLE smartpark.role_domain (
    role text NOT NULL CHECK (role IN ('operator', 'utility_manager', 'province', 'administrator')),
    domain text NOT NULL CHECK (domain IN ('aggregates', 'operation', 'requests', 'access')),
    PRIMARY KEY (role, domain)
);
INSERT INTO smartpark.role_domain (role, domain) VALUES
    ('operator', 'aggregates'), ('operator', 'operation'), ('operator', 'requests'),
    ('utility_manager', 'aggregates'), ('utility_manager', 'operation'), ('utility_manager', 'requests'),
    ('province', 'aggregates'),
    ('administrator', 'aggregates'), ('administrator', 'operation'), ('administrator', 'requests'),
    ('administrator', 'access');
GRANT SELECT ON smartpark.role_domain TO smartpark_api, smartpark_ingest;

-- Parks in which a principal sees a domain at this moment; null: all of them. Nothing of a program that is disabled or of
-- a person who has left. Whoever asks need not be able to read the tables behind it, hence SECURITY DEFINER.
CREATE FUNCTION smartpark.parks_granted(who text, wanted text) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF who LIKE 'person:%' THEN
        RETURN QUERY
            SELECT DISTINCT g.park FROM smartpark.access_grant AS g
            JOIN smartpark.role_domain AS d ON d.role = g.role AND d.domain = wanted
            JOIN smartpark.person AS p ON p.code = g.person AND p.is_active
            WHERE g.person = substr(who, 8) AND g.valid_from <= now() AND now() < g.valid_to;
    ELSIF who LIKE 'client:%' THEN
        RETURN QUERY
            SELECT DISTINCT g.park FROM smartpark.access_grant AS g
            JOIN smartpark.role_domain AS d ON d.role = g.role AND d.domain = wanted
            JOIN smartpark.access_client AS c ON c.client = g.client AND c.disabled_at IS NULL
            WHERE g.client = substr(who, 8) AND g.valid_from <= now() AND now() < g.valid_to;
    END IF;
END $$;

CREATE FUNCTION smartpark.principal() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT coalesce(current_setting('smartpark.principal', true), '') $$;

-- 'local' is whoever has the database's address or is at the machine itself; 'system' is the server before it knows who
-- asks, and where a token in an address has been checked.
CREATE FUNCTION smartpark.sees_all(wanted text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text := smartpark.principal();
BEGIN
    RETURN who IN ('local', 'system')
        OR EXISTS (SELECT FROM smartpark.parks_granted(who, wanted) AS granted (park) WHERE granted.park IS NULL);
END $$;

CREATE FUNCTION smartpark.parks_seen(wanted text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT granted.park FROM smartpark.parks_granted(smartpark.principal(), wanted) AS granted (park)
        WHERE granted.park IS NOT NULL
    );
END $$;

-- What belongs to no park is shown to whoever is granted its domain anywhere.
CREATE FUNCTION smartpark.sees_any(wanted text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text := smartpark.principal();
BEGIN
    RETURN who IN ('local', 'system') OR EXISTS (SELECT FROM smartpark.parks_granted(who, wanted));
END $$;

-- People and programs that an administrator of some parks may let in or shut out: those who have no grant beyond these
-- parks. Otherwise a key made for them here would open another park.
CREATE FUNCTION smartpark.is_managed(who_person text, who_client text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN smartpark.sees_all('access') OR (
        smartpark.sees_any('access') AND NOT EXISTS (
            SELECT FROM smartpark.access_grant AS g
            WHERE (g.person = who_person OR g.client = who_client) AND now() < g.valid_to
                AND (g.park IS NULL OR g.park <> ALL (smartpark.parks_seen('access')))
        )
    );
END $$;
CREATE FUNCTION smartpark.people_managed() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT code FROM smartpark.person WHERE smartpark.is_managed(code, NULL))
$$;
CREATE FUNCTION smartpark.clients_managed() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT client FROM smartpark.access_client WHERE smartpark.is_managed(NULL, client))
$$;

REVOKE ALL ON FUNCTION
    smartpark.parks_granted(text, text), smartpark.principal(), smartpark.sees_all(text), smartpark.parks_seen(text),
    smartpark.sees_any(text), smartpark.is_managed(text, text), smartpark.people_managed(), smartpark.clients_managed()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    smartpark.principal(), smartpark.sees_all(text), smartpark.parks_seen(text), smartpark.sees_any(text),
    smartpark.is_managed(text, text), smartpark.people_managed(), smartpark.clients_managed()
    TO smartpark_api, smartpark_ingest;

-- For migrations: puts a table under a rule. The functions stand in subqueries so that each is evaluated once a
-- statement, not once a row. `shown` decides what is read and changed, `written` what a new row may be.
CREATE PROCEDURE smartpark.rule(relation regclass, shown text, written text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format(
        'CREATE POLICY granted ON %s TO smartpark_api USING (%s) WITH CHECK (%s)', relation, shown,
        coalesce(written, shown)
    );
    EXECUTE format('CREATE POLICY workers ON %s TO smartpark_ingest USING (true) WITH CHECK (true)', relation);
END $$;
REVOKE ALL ON PROCEDURE smartpark.rule(regclass, text, text) FROM PUBLIC;

-- The condition of a table whose rows name their park, in that column.
CREATE FUNCTION smartpark.of_seen_park(domain text, park_column text DEFAULT 'park') RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format(
        '(SELECT smartpark.sees_all(%1$L)) OR %2$s = ANY ((SELECT smartpark.parks_seen(%1$L))::text[])', domain,
        park_column
    )
$$;

-- That of a table whose rows belong to a row of another one: whoever sees that one sees them.
CREATE FUNCTION smartpark.of_seen_row(domain text, owner text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('(SELECT smartpark.sees_all(%L)) OR EXISTS (SELECT FROM %s)', domain, owner)
$$;
REVOKE ALL ON FUNCTION smartpark.of_seen_park(text, text), smartpark.of_seen_row(text, text) FROM PUBLIC;

DO $do$
DECLARE
    name text;
BEGIN
    -- What a province is shown.
    FOREACH name IN ARRAY ARRAY['sub_park', 'enterprise', 'indicator_series'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, smartpark.of_seen_park('aggregates'));
    END LOOP;
    CALL smartpark.rule('smartpark.park', smartpark.of_seen_park('aggregates', 'code'));
    CALL smartpark.rule(
        'smartpark.indicator_value',
        smartpark.of_seen_row(
            'aggregates', 'smartpark.indicator_series AS s WHERE s.series_id = indicator_value.series_id'
        ),
        smartpark.of_seen_row(
            'operation',
            'smartpark.indicator_series AS s WHERE s.series_id = indicator_value.series_id AND '
            's.park = ANY ((SELECT smartpark.parks_seen(''operation''))::text[])'
        )
    );
    -- Who is shown a submission cannot make one.
    CALL smartpark.rule(
        'smartpark.submission', smartpark.of_seen_park('aggregates'), smartpark.of_seen_park('operation')
    );
    CALL smartpark.rule(
        'smartpark.submission_row',
        smartpark.of_seen_row('aggregates', 'smartpark.submission AS s WHERE s.code = submission_row.code'),
        smartpark.of_seen_row(
            'operation',
            'smartpark.submission AS s WHERE s.code = submission_row.code AND '
            's.park = ANY ((SELECT smartpark.parks_seen(''operation''))::text[])'
        )
    );
    CALL smartpark.rule(
        'smartpark.aggregate_source',
        smartpark.of_seen_row('aggregates', 'smartpark.park AS p WHERE p.source = aggregate_source.source')
    );

    -- What whoever runs a park is shown.
    FOREACH name IN ARRAY ARRAY[
        'transformer', 'feeder', 'device', 'contract', 'virtual_meter', 'meter_change', 'point', 'catalogue_version',
        'business_figure', 'stale_ratio', 'stale_hour'
    ] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, smartpark.of_seen_park('operation'));
    END LOOP;
    FOREACH name IN ARRAY ARRAY['point_version', 'latest', 'minute_hour'] LOOP
        CALL smartpark.rule(
            format('smartpark.%I', name)::regclass,
            smartpark.of_seen_row(
                'operation', format('smartpark.point AS p WHERE p.point_id = %I.point_id', name)
            )
        );
    END LOOP;
    CALL smartpark.rule(
        'smartpark.entity_change',
        smartpark.of_seen_row(
            'operation', 'smartpark.catalogue_version AS v WHERE v.version_id = entity_change.version_id'
        )
    );
    -- The platform's own factors are for everybody, and nobody's but the platform's to add to.
    CALL smartpark.rule(
        'smartpark.factor', 'park IS NULL OR ' || smartpark.of_seen_park('operation'),
        smartpark.of_seen_park('operation')
    );
    -- An edge may serve several parks and does not say which; a dead letter says it by the key of its point, if at all.
    FOREACH name IN ARRAY ARRAY['edge', 'edge_state', 'edge_event'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, '(SELECT smartpark.sees_all(''operation''))');
    END LOOP;
    CALL smartpark.rule(
        'smartpark.dead_letter', smartpark.of_seen_park('operation', 'split_part(point_key, ''/'', 1)')
    );

    -- What whoever follows load requests is shown.
    FOREACH name IN ARRAY ARRAY['load_request', 'manager_term'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, smartpark.of_seen_park('requests'));
    END LOOP;
    FOREACH name IN ARRAY ARRAY['load_request_event', 'load_request_attachment', 'applicant_link', 'outbox', 'notice']
    LOOP
        CALL smartpark.rule(
            format('smartpark.%I', name)::regclass,
            smartpark.of_seen_row('requests', format('smartpark.load_request AS r WHERE r.code = %I.code', name))
        );
    END LOOP;
    -- A receiver of all parks' events is told of every event, whoever makes it happen; who set it up sees all parks.
    CALL smartpark.rule(
        'smartpark.webhook', '(park IS NULL AND (SELECT smartpark.sees_any(''requests''))) OR '
        || smartpark.of_seen_park('requests'), smartpark.of_seen_park('requests')
    );
    -- The people of the desk have no park: whoever works at one sees them, and an administrator changes them.
    CALL smartpark.rule(
        'smartpark.person',
        '(SELECT smartpark.sees_any(''requests'')) OR (SELECT smartpark.principal()) = ''person:'' || code',
        'smartpark.is_managed(code, NULL)'
    );
    CALL smartpark.rule(
        'smartpark.saved_view',
        '(SELECT smartpark.sees_all(''requests'')) OR (SELECT smartpark.principal()) = ''person:'' || person'
    );
    -- A calendar of a person shows their requests of all parks to whoever has its address.
    CALL smartpark.rule(
        'smartpark.calendar_link',
        '(SELECT smartpark.principal()) = ''person:'' || person OR ' || smartpark.of_seen_park('requests')
    );

    -- Who has access is shown to administrators, and to everybody what is their own. A program with grants in several
    -- parks is known to the administrators of each.
    CALL smartpark.rule(
        'smartpark.access_client',
        '(SELECT smartpark.principal()) = ''client:'' || client OR (SELECT smartpark.sees_all(''access''))'
        ' OR client = ANY ((SELECT smartpark.clients_managed())::text[])'
        ' OR EXISTS (SELECT FROM smartpark.access_grant AS g WHERE g.client = access_client.client)',
        'smartpark.is_managed(NULL, client)'
    );
    CALL smartpark.rule(
        'smartpark.access_grant',
        '(SELECT smartpark.principal()) IN (''person:'' || person, ''client:'' || client) OR '
        || smartpark.of_seen_park('access'),
        smartpark.of_seen_park('access')
    );
    CALL smartpark.rule(
        'smartpark.access_secret',
        '(SELECT smartpark.sees_all(''access'')) OR client = ANY ((SELECT smartpark.clients_managed())::text[])',
        'smartpark.is_managed(NULL, client)'
    );
    FOREACH name IN ARRAY ARRAY['person_identity', 'login_link', 'person_session'] LOOP
        CALL smartpark.rule(
            format('smartpark.%I', name)::regclass,
            '(SELECT smartpark.sees_all(''access'')) OR person = ANY ((SELECT smartpark.people_managed())::text[])',
            'smartpark.is_managed(person, NULL)'
        );
    END LOOP;
    -- Whatever somebody does is written down; what was written down is read by administrators.
    CALL smartpark.rule('smartpark.audit_entry', smartpark.of_seen_park('access'), 'true');
END $do$;

-- Answers to repeated writes are kept for whoever made them. Those kept until now have been given to nobody else either.
ALTER TABLE smartpark.idempotent_answer ADD COLUMN principal text NOT NULL DEFAULT 'local';
ALTER TABLE smartpark.idempotent_answer ALTER COLUMN principal SET DEFAULT smartpark.principal();
CALL smartpark.rule(
    'smartpark.idempotent_answer',
    '(SELECT smartpark.sees_all(''requests'')) OR principal = (SELECT smartpark.principal())'
);

-- The same views as for Grafana, but with the rights and under the rules of whoever asks. Whoever changes a view of the
-- schema `park` makes its twin anew.
ALTER VIEW smartpark.indicator SET (security_invoker = true);
-- A view that obeys its asker obeys them through other views too: those for Grafana stand on the tables themselves.
DO $do$
DECLARE
    parts text := pg_get_viewdef('smartpark.indicator'::regclass);
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW park.indicator AS SELECT
        start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
        estimated_share, method, factor_set, factors, reason, computed_at, boundary, uncertainty
        FROM (' || rtrim(parts, ';') || ') AS i WHERE superseded_at IS NULL';
    EXECUTE 'CREATE OR REPLACE VIEW park.indicator_revision AS SELECT
        start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
        estimated_share, method, factor_set, factors, reason, computed_at, superseded_at, boundary, uncertainty
        FROM (' || rtrim(parts, ';') || ') AS i';
END $do$;
CREATE SCHEMA seen;
CREATE PROCEDURE smartpark.show(view name) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE VIEW seen.%1$I WITH (security_invoker = true) AS %2$s', view,
        pg_get_viewdef(format('park.%I', view)::regclass)
    );
    EXECUTE format('GRANT SELECT ON seen.%I TO smartpark_api', view);
END $$;
REVOKE ALL ON PROCEDURE smartpark.show(name) FROM PUBLIC;

-- Readings can have no policy, so these views hold the rule themselves and read with the rights of their owner.
CREATE VIEW seen.raw_reading WITH (security_barrier) AS
SELECT time, point_id, scaled, raw, status
FROM smartpark.reading
WHERE (SELECT smartpark.sees_all('operation')) OR point_id IN (
    SELECT p.point_id FROM smartpark.point AS p
    WHERE p.park = ANY ((SELECT smartpark.parks_seen('operation'))::text[])
);
CREATE VIEW seen.raw_energy WITH (security_barrier) AS
SELECT point_id, start, amount, completeness, estimated_share, flags
FROM smartpark.interval_energy
WHERE (SELECT smartpark.sees_all('operation')) OR point_id IN (
    SELECT p.point_id FROM smartpark.point AS p
    WHERE p.park = ANY ((SELECT smartpark.parks_seen('operation'))::text[])
);
GRANT SELECT ON seen.raw_reading, seen.raw_energy TO smartpark_api, smartpark_ingest;
DO $do$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'park'::regnamespace AND relkind = 'v' LOOP
        IF name IN ('reading', 'reading_15m', 'reading_hour', 'reading_day', 'interval_energy') THEN
            EXECUTE format(
                'CREATE VIEW seen.%1$I WITH (security_barrier) AS SELECT * FROM park.%1$I WHERE %2$s', name,
                smartpark.of_seen_park('operation')
            );
            EXECUTE format('GRANT SELECT ON seen.%I TO smartpark_api', name);
        ELSE
            CALL smartpark.show(name);
        END IF;
    END LOOP;
END $do$;
GRANT USAGE ON SCHEMA seen TO smartpark_api, smartpark_ingest;

REVOKE ALL ON ALL TABLES IN SCHEMA park FROM smartpark_api;
REVOKE USAGE ON SCHEMA park FROM smartpark_api;
REVOKE ALL ON
    smartpark.reading, smartpark.reading_15m, smartpark.reading_hour, smartpark.reading_day, smartpark.interval_energy,
    smartpark.batch_ledger, smartpark.batch_floor, smartpark.stale_mark FROM smartpark_api;

-- The server asks as smartpark_api whoever it is connected as. An owner who is no superuser has to be a member for that.
DO $do$
BEGIN
    IF NOT pg_has_role(current_user, 'smartpark_api', 'MEMBER') THEN
        EXECUTE format('GRANT smartpark_api TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '% may not act as smartpark_api; where the server is to connect as %, an administrator runs: GRANT smartpark_api TO %',
        current_user, current_user, current_user;
END $do$;

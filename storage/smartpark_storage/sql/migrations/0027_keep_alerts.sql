-- Alerts: which readings came (for whoever evaluates), rules with all their versions, each alert as events that nobody
-- rewrites and beside them one row that says where it stands, what people are not told of, and what leaves the platform.

-- Somebody evaluates alerts. While nobody has for as long as `patience`, writers stop telling what came, so that what
-- waits is bounded; whoever comes back is told that it was so, and evaluates from what is stored.
CREATE TABLE smartpark.alert_watch (
    watcher text PRIMARY KEY CHECK (watcher <> ''),
    registered_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    patience interval NOT NULL DEFAULT '1 day' CHECK (patience > INTERVAL '0')
);

-- How far the watcher has judged, written down every now and then: with it, whoever takes up the work again reads what
-- has come since from what is stored. Packed as below: points, how far each was judged, through which edge it speaks.
CREATE TABLE smartpark.alert_checkpoint (
    watcher text PRIMARY KEY REFERENCES smartpark.alert_watch ON DELETE CASCADE,
    at timestamptz NOT NULL,
    points bytea NOT NULL,
    seen_us bytea NOT NULL,
    edges bytea NOT NULL,
    -- Windows that begin before these moments were judged.
    quarters_until timestamptz,
    hours_until timestamptz
);

-- Which readings a commit brought: per edge one row, packed, as lists of the same length (machine words, the least
-- significant byte first). Written with the readings, and taken away with what came of them.
CREATE TABLE smartpark.reading_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edge_id integer NOT NULL,
    -- Four bytes each.
    points bytea NOT NULL,
    -- First reading of each point, and just after its last one; µs since 1970, eight bytes each.
    first_us bytea NOT NULL,
    end_us bytea NOT NULL,
    received_at timestamptz NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000
);
-- They live for a second: packing them tighter costs more than it saves.
ALTER TABLE smartpark.reading_change
    ALTER COLUMN points SET STORAGE EXTERNAL, ALTER COLUMN first_us SET STORAGE EXTERNAL,
    ALTER COLUMN end_us SET STORAGE EXTERNAL;

-- A rule as it was written each time; the newest version counts. `park`: of a rule that names just one park, which then
-- is that park's to change; null: of the installation.
CREATE TABLE smartpark.alert_rule (
    code text NOT NULL CHECK (code <> ''),
    version integer NOT NULL CHECK (version >= 1),
    park text,
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    is_active boolean NOT NULL,
    written_by text NOT NULL CHECK (written_by <> ''),
    written_at timestamptz NOT NULL,
    PRIMARY KEY (code, version)
);
-- Whoever may write rules of one park must not take another one's by writing its next version. After the row is there:
-- the rule of the table is asked first.
CREATE FUNCTION smartpark.follow_rule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before smartpark.alert_rule;
BEGIN
    SELECT * INTO before FROM smartpark.alert_rule WHERE code = NEW.code AND version = NEW.version - 1;
    IF NOT FOUND AND NEW.version > 1 THEN
        RAISE EXCEPTION 'there is no version of rule % that version % follows', NEW.code, NEW.version
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF FOUND AND before.park IS DISTINCT FROM NEW.park AND NOT smartpark.sees_all('operation') THEN
        RAISE EXCEPTION 'rule % is not only of %', NEW.code, NEW.park USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION smartpark.follow_rule() FROM PUBLIC;
CREATE TRIGGER alert_rule_follows AFTER INSERT ON smartpark.alert_rule
    FOR EACH ROW EXECUTE FUNCTION smartpark.follow_rule();

-- Where an alert stands: what its events make of it (`smartpark.alerts.life`).
CREATE SEQUENCE smartpark.alert_change;
CREATE TABLE smartpark.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL REFERENCES smartpark.park,
    rule text NOT NULL,
    rule_version integer NOT NULL,
    object text NOT NULL CHECK (object ~ '^[a-z]+:.'),
    -- park/code
    device text,
    edge text,
    cause text NOT NULL CHECK (cause <> ''),
    -- Alerts of one group are one matter.
    group_key text NOT NULL CHECK (group_key <> ''),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    state text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    -- As measured; `known_at`: when it became known here.
    since timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    fired_at timestamptz,
    -- Since when the condition is over; null: it holds, by what is known.
    cleared_at timestamptz,
    resolved_at timestamptz,
    ended_by text CHECK (ended_by IN ('condition', 'person', 'correction', 'rule')),
    last_value double precision,
    limit_value double precision,
    unit text NOT NULL,
    last_at timestamptz NOT NULL,
    worst double precision,
    worst_limit double precision,
    worst_unit text NOT NULL,
    worst_at timestamptz NOT NULL,
    reopened integer NOT NULL,
    is_flapping boolean NOT NULL,
    settles_at timestamptz,
    acknowledged_by text,
    acknowledged_at timestamptz,
    assignee text,
    snoozed_until timestamptz,
    resolution text,
    label text CHECK (label IN ('true_alarm', 'false_alarm')),
    -- Why people are not told of it, and by which alert, silence or window.
    hidden text,
    hidden_by text NOT NULL,
    told text,
    told_severity text,
    told_flapping boolean NOT NULL,
    -- When people were told last that it fires.
    told_at timestamptz,
    escalation integer NOT NULL,
    -- Of the newest event: its version.
    sequence integer NOT NULL CHECK (sequence >= 1),
    changed_at timestamptz NOT NULL,
    -- Given at commit, in the order of commits: whoever has seen a number misses nothing below it. 0: not yet.
    change bigint NOT NULL DEFAULT 0,
    searched text NOT NULL GENERATED ALWAYS AS (
        lower(object || ' ' || rule || ' ' || coalesce(edge, '') || ' ' || coalesce(assignee, ''))
    ) STORED,
    FOREIGN KEY (rule, rule_version) REFERENCES smartpark.alert_rule,
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((state = 'resolved') = (ended_by IS NOT NULL))
) WITH (fillfactor = 70);
-- One open alert of a rule and object, and none twice; what was withdrawn may turn out to have been all the same.
CREATE UNIQUE INDEX alert_open ON smartpark.alert (rule, object) WHERE state <> 'resolved';
CREATE UNIQUE INDEX alert_once ON smartpark.alert (rule, object, since) WHERE ended_by IS DISTINCT FROM 'correction';
CREATE INDEX alert_of_object ON smartpark.alert (rule, object, since DESC, alert_id DESC);
-- Of one that a person has resolved while it held, it must be known when it is over.
CREATE INDEX alert_holding ON smartpark.alert (rule, object) WHERE cleared_at IS NULL;
CREATE INDEX alert_newest ON smartpark.alert (since DESC, alert_id DESC);
CREATE INDEX alert_of_park ON smartpark.alert (park, since DESC, alert_id DESC);
CREATE INDEX alert_of_group ON smartpark.alert (group_key, since DESC, alert_id DESC);
CREATE INDEX alert_fired ON smartpark.alert (fired_at) WHERE fired_at IS NOT NULL;
CREATE INDEX alert_resolved ON smartpark.alert (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX alert_changed ON smartpark.alert (change);

CREATE TABLE smartpark.alert_event (
    alert_id bigint NOT NULL REFERENCES smartpark.alert ON DELETE CASCADE,
    sequence integer NOT NULL CHECK (sequence >= 1),
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    type text NOT NULL GENERATED ALWAYS AS (body ->> 'type') STORED,
    body jsonb NOT NULL,
    PRIMARY KEY (alert_id, sequence)
);

CREATE FUNCTION smartpark.refuse_rewriting_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was told of alerts is only added to: % of % is refused', TG_OP, TG_TABLE_NAME
        USING HINT = 'add an event, or another version', ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER alert_rule_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.alert_rule
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_alerts();
CREATE TRIGGER alert_event_is_kept BEFORE UPDATE OR TRUNCATE ON smartpark.alert_event
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_alerts();
-- What never came to anything is forgotten whole: an alert that did not last, with its events, and nothing else.
CREATE TRIGGER alert_is_kept BEFORE DELETE ON smartpark.alert
    FOR EACH ROW WHEN (OLD.state <> 'pending') EXECUTE FUNCTION smartpark.refuse_rewriting_alerts();
CREATE FUNCTION smartpark.refuse_forgetting_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM smartpark.alert WHERE alert_id = OLD.alert_id) THEN
        RAISE EXCEPTION 'event % of alert % is kept', OLD.sequence, OLD.alert_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER alert_event_goes_with_its_alert BEFORE DELETE ON smartpark.alert_event
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_forgetting_events();

-- Numbers the newest event of each alert of a transaction when that commits, and tells whoever listens. The lock lasts
-- until the commit and is the last one taken, so numbers become visible in their order and nobody waits in a ring.
CREATE FUNCTION smartpark.number_alert_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    numbered bigint;
    whose text;
BEGIN
    PERFORM pg_advisory_xact_lock(7262015);
    UPDATE smartpark.alert SET change = nextval('smartpark.alert_change')
    WHERE alert_id = NEW.alert_id AND sequence = NEW.sequence
    RETURNING change, park INTO numbered, whose;
    IF FOUND THEN
        PERFORM pg_notify(
            'smartpark_alert',
            json_build_object('change', numbered, 'alert', NEW.alert_id, 'park', whose)::text
        );
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION smartpark.number_alert_change() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER alert_event_is_told AFTER INSERT ON smartpark.alert_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION smartpark.number_alert_change();

-- Spans in which people are not told; an end that comes earlier is `ended_at`.
CREATE TABLE smartpark.alert_silence (
    silence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Null: all parks.
    park text REFERENCES smartpark.park,
    kind text NOT NULL CHECK (kind IN ('silence', 'maintenance')),
    matchers jsonb NOT NULL CHECK (jsonb_typeof(matchers) = 'object'),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason text NOT NULL CHECK (reason <> ''),
    created_by text NOT NULL CHECK (created_by <> ''),
    created_at timestamptz NOT NULL,
    ended_by text,
    ended_at timestamptz,
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE INDEX alert_silence_span ON smartpark.alert_silence (ends_at, starts_at);

-- Who is told, by which way, and of what: as people write them (`smartpark.alerts.routes`). A contact names the secret
-- file that holds its address; no address and no secret stands here.
CREATE TABLE smartpark.alert_contact (
    code text PRIMARY KEY CHECK (code <> ''),
    park text REFERENCES smartpark.park,
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    is_active boolean NOT NULL
);

CREATE TABLE smartpark.alert_route (
    code text PRIMARY KEY CHECK (code <> ''),
    park text REFERENCES smartpark.park,
    position integer NOT NULL,
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    is_active boolean NOT NULL
);
CREATE INDEX alert_route_order ON smartpark.alert_route (position, code);

-- What is to be told, once: planned with the event that says so, sent by whoever claims it.
CREATE TABLE smartpark.alert_intent (
    intent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What it is about, and to whom; planning it again does nothing.
    key text NOT NULL UNIQUE CHECK (key <> ''),
    contact text NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    -- Null: of several.
    park text,
    alerts bigint[] NOT NULL,
    group_key text NOT NULL,
    body jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    planned_at timestamptz NOT NULL,
    -- When it is tried (again).
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    sent_at timestamptz,
    given_up_at timestamptz,
    -- No longer wanted, before it was sent.
    withdrawn_at timestamptz,
    error text NOT NULL DEFAULT '',
    CHECK (num_nonnulls(sent_at, given_up_at, withdrawn_at) <= 1)
) WITH (fillfactor = 70);
CREATE INDEX alert_intent_waiting ON smartpark.alert_intent (due_at, intent_id)
    WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX alert_intent_alerts ON smartpark.alert_intent USING gin (alerts);
CREATE INDEX alert_intent_planned ON smartpark.alert_intent (planned_at);

-- Who is shown and may change what: whoever runs a park, what is of that park. What is of no park is shown to whoever
-- runs any, and changed by whoever runs all.
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['alert', 'alert_intent'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, smartpark.of_seen_park('operation'));
    END LOOP;
    CALL smartpark.rule(
        'smartpark.alert_event',
        smartpark.of_seen_row('operation', 'smartpark.alert AS a WHERE a.alert_id = alert_event.alert_id')
    );
    FOREACH name IN ARRAY ARRAY['alert_rule', 'alert_silence', 'alert_contact', 'alert_route'] LOOP
        CALL smartpark.rule(
            format('smartpark.%I', name)::regclass,
            '(park IS NULL AND (SELECT smartpark.sees_any(''operation''))) OR ' || smartpark.of_seen_park('operation'),
            smartpark.of_seen_park('operation')
        );
    END LOOP;
END $do$;

GRANT SELECT ON
    smartpark.alert_watch, smartpark.alert_rule, smartpark.alert, smartpark.alert_event, smartpark.alert_silence,
    smartpark.alert_contact, smartpark.alert_route, smartpark.alert_intent TO smartpark_api, smartpark_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    smartpark.reading_change, smartpark.alert_watch, smartpark.alert_checkpoint TO smartpark_ingest;
-- Whoever evaluates reads quarter-hours and hours as those who ask do.
GRANT SELECT ON seen.reading_15m, seen.reading_hour TO smartpark_ingest;
GRANT INSERT ON smartpark.alert_rule TO smartpark_api, smartpark_ingest;
GRANT INSERT, UPDATE, DELETE ON smartpark.alert TO smartpark_ingest;
-- People deal with alerts; none begins by their hand.
GRANT UPDATE ON smartpark.alert TO smartpark_api;
GRANT INSERT ON smartpark.alert_event TO smartpark_api, smartpark_ingest;
GRANT INSERT, UPDATE (ended_by, ended_at) ON smartpark.alert_silence TO smartpark_api, smartpark_ingest;
GRANT INSERT, UPDATE ON smartpark.alert_contact, smartpark.alert_route, smartpark.alert_intent
    TO smartpark_api, smartpark_ingest;

CREATE VIEW park.alert AS
SELECT
    a.since AS time, a.alert_id, a.park, a.rule, r.document ->> 'name' AS rule_name,
    r.document ->> 'name_en' AS rule_name_en, a.object,
    CASE WHEN a.object LIKE 'point:%' THEN substr(a.object, 7) END AS point, a.device, a.edge, a.cause, a.severity,
    a.state, a.known_at, a.fired_at, a.cleared_at, a.resolved_at, a.ended_by, a.last_value, a.limit_value, a.unit,
    a.worst, a.worst_at, a.reopened, a.is_flapping, a.acknowledged_at, a.snoozed_until, a.resolution, a.label, a.hidden,
    a.group_key, a.changed_at
FROM smartpark.alert AS a
JOIN smartpark.alert_rule AS r ON r.code = a.rule AND r.version = a.rule_version;

-- Without what people wrote, and without who they are.
CREATE VIEW park.alert_event AS
SELECT
    e.recorded_at AS time, e.alert_id, a.park, a.rule, a.object, a.severity, e.sequence, e.at, e.type,
    e.actor = 'system' AS is_automatic
FROM smartpark.alert_event AS e
JOIN smartpark.alert AS a USING (alert_id);

GRANT SELECT ON park.alert, park.alert_event TO smartpark_grafana, smartpark_ingest;
CALL smartpark.show('alert');
CALL smartpark.show('alert_event');

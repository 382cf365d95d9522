-- Load requests: what happened to each as events that nobody rewrites, and beside them one row a request that says where
-- it stands, written in the same transaction. Then the people of the desk, and what leaves it.

CREATE TABLE smartpark.person (
    code text PRIMARY KEY CHECK (code ~ '^\S(.*\S)?$' AND code NOT IN ('applicant', 'system')),
    name text NOT NULL CHECK (name <> ''),
    name_en text NOT NULL,
    email text NOT NULL,
    phone text,
    language text NOT NULL CHECK (language IN ('zh', 'en')),
    is_active boolean NOT NULL
);

-- A project manager and a deputy per park, from a day to the day before another; no two of a duty on one day.
-- The exclusion compares ranges whose bounds begin with park and duty, which needs no extension.
CREATE TYPE smartpark.duty_day AS (park text, duty text, day date);
CREATE TYPE smartpark.duty_span AS RANGE (SUBTYPE = smartpark.duty_day);

CREATE TABLE smartpark.manager_term (
    park text NOT NULL REFERENCES smartpark.park,
    duty text NOT NULL CHECK (duty IN ('manager', 'deputy')),
    person text NOT NULL REFERENCES smartpark.person,
    valid_from date NOT NULL,
    valid_to date NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (park, duty, valid_from),
    CHECK (valid_from < valid_to),
    CONSTRAINT manager_term_alone EXCLUDE USING gist (
        smartpark.duty_span(
            ROW(park, duty, valid_from)::smartpark.duty_day, ROW(park, duty, valid_to)::smartpark.duty_day
        ) WITH &&
    )
);

-- Numbers of the codes, by year of opening.
CREATE TABLE smartpark.load_request_number (
    year integer PRIMARY KEY,
    newest integer NOT NULL
);

-- Where a request stands: what its events make of it, and its clocks as of its newest event or refresh. The days on
-- which a running clock is at risk and due do not depend on the present day, so how it stands is a comparison of dates.
CREATE TABLE smartpark.load_request (
    code text PRIMARY KEY CHECK (code ~ '^LR-\d{4}-\d{6,}$'),
    park text NOT NULL REFERENCES smartpark.park,
    applicant text NOT NULL,
    enterprise text,
    customer_no text,
    kind text NOT NULL,
    applied_kva double precision NOT NULL CHECK (applied_kva > 0),
    existing_kva double precision NOT NULL CHECK (existing_kva >= 0),
    voltage text NOT NULL,
    supply text NOT NULL,
    user_kind text NOT NULL,
    importance text NOT NULL,
    channel text NOT NULL,
    source text NOT NULL,
    probability double precision,
    wanted_on date,
    node text,
    coincidence double precision,
    stage text NOT NULL,
    owner text NOT NULL,
    suspended text,
    outcome text,
    manager text REFERENCES smartpark.person,
    approved_kva double precision,
    scheme_node text,
    scheme_replied_at timestamptz,
    scheme_is_extended boolean NOT NULL,
    reserved_kva double precision NOT NULL,
    reworks integer NOT NULL,
    opened_at timestamptz NOT NULL,
    accepted_at timestamptz,
    stage_since timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    energized_at timestamptz,
    ended_at timestamptz,
    stage_used integer NOT NULL,
    stage_limit integer,
    stage_due_on date,
    stage_risk_from date,
    stage_rule text,
    stage_runs boolean NOT NULL,
    total_used integer NOT NULL,
    total_limit integer,
    total_due_on date,
    total_risk_from date,
    total_rule text,
    total_runs boolean NOT NULL,
    -- Working days since acceptance by stage and whose turn it was: {"survey": {"utility": 3, ...}, ...}.
    stage_days jsonb NOT NULL,
    -- What each limit had used of it at its worst: [{"stage": "scheme_reply", "rule": "limit:...", "used": 9, "limit": 15}].
    stage_limits jsonb NOT NULL,
    clocks_on date NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    searched text NOT NULL GENERATED ALWAYS AS (
        lower(code || ' ' || applicant || ' ' || coalesce(enterprise, '') || ' ' || coalesce(customer_no, ''))
    ) STORED,
    FOREIGN KEY (park, enterprise) REFERENCES smartpark.enterprise (park, code)
);
-- The board reads the open ones, a column at a time, the next due first; lists read all, in the orders people ask for.
CREATE INDEX load_request_open ON smartpark.load_request (stage, stage_due_on, code) WHERE outcome IS NULL;
CREATE INDEX load_request_reserved ON smartpark.load_request (park) WHERE reserved_kva > 0;
CREATE INDEX load_request_changed ON smartpark.load_request (changed_at DESC, code);
CREATE INDEX load_request_opened ON smartpark.load_request (opened_at DESC, code);
CREATE INDEX load_request_park ON smartpark.load_request (park, opened_at);
CREATE INDEX load_request_energized ON smartpark.load_request (energized_at) WHERE energized_at IS NOT NULL;
CREATE INDEX load_request_ended ON smartpark.load_request (ended_at) WHERE outcome IS NOT NULL;

-- How a clock stands on a day; core's `Clock.standing` says the same of the same row, and a test holds the two together.
CREATE FUNCTION smartpark.standing(
    is_ended boolean, working_days integer, is_running boolean, used integer, due_on date, risk_from date, today date
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN is_ended THEN 'ended'
        WHEN working_days IS NULL THEN 'no_limit'
        WHEN NOT is_running THEN CASE WHEN used > working_days THEN 'overdue' ELSE 'stopped' END
        WHEN today > due_on THEN 'overdue'
        WHEN today = due_on THEN 'due'
        WHEN today >= risk_from THEN 'at_risk'
        ELSE 'in_time'
    END
$$;

CREATE TABLE smartpark.load_request_event (
    code text NOT NULL REFERENCES smartpark.load_request,
    sequence integer NOT NULL CHECK (sequence >= 1),
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by text NOT NULL CHECK (by <> ''),
    type text NOT NULL GENERATED ALWAYS AS (body ->> 'type') STORED,
    body jsonb NOT NULL,
    PRIMARY KEY (code, sequence),
    CHECK (at <= recorded_at)
);

-- Bytes are files outside the database; of each there is a row here, as immutable as the event that tells of it.
CREATE TABLE smartpark.load_request_attachment (
    attachment text PRIMARY KEY CHECK (attachment ~ '^[0-9a-f]{32}$'),
    code text NOT NULL REFERENCES smartpark.load_request,
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    uploaded_by text NOT NULL CHECK (uploaded_by <> ''),
    uploaded_at timestamptz NOT NULL
);
CREATE INDEX ON smartpark.load_request_attachment (code);

CREATE FUNCTION smartpark.refuse_rewriting_requests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept as they were written: % is refused', TG_TABLE_NAME, TG_OP
        USING HINT = 'say what is different with a new event', ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER load_request_event_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.load_request_event
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_requests();
CREATE TRIGGER load_request_attachment_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.load_request_attachment
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_requests();

-- An applicant's way in: of the token only its digest is kept, so whoever reads this table cannot use it.
CREATE TABLE smartpark.applicant_link (
    link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL REFERENCES smartpark.load_request,
    token_sha256 bytea NOT NULL UNIQUE,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    revoked_at timestamptz
);
CREATE INDEX ON smartpark.applicant_link (code);

-- A repeated write answers as the first did.
CREATE TABLE smartpark.idempotent_answer (
    key text PRIMARY KEY CHECK (key <> ''),
    actor text NOT NULL,
    fingerprint text NOT NULL,
    begun_at timestamptz NOT NULL,
    status integer,
    body jsonb
);
CREATE INDEX ON smartpark.idempotent_answer (begun_at);

CREATE TABLE smartpark.saved_view (
    person text NOT NULL REFERENCES smartpark.person,
    name text NOT NULL CHECK (name <> ''),
    query text NOT NULL,
    PRIMARY KEY (person, name)
);

-- Who is told of events. The secret that signs what is sent lies in a file; here stands only its name.
CREATE TABLE smartpark.webhook (
    name text PRIMARY KEY CHECK (name <> ''),
    url text NOT NULL,
    secret_ref text NOT NULL,
    park text REFERENCES smartpark.park,
    -- Types of events; none: all of them.
    events text[] NOT NULL,
    is_active boolean NOT NULL
);

-- What is to be told to whom: written with the event, so that nothing is told that did not happen, nor the reverse.
CREATE TABLE smartpark.outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook text NOT NULL REFERENCES smartpark.webhook,
    code text NOT NULL,
    sequence integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    -- From when on it may be tried; one that a worker has in hand comes back when that worker has died.
    next_at timestamptz NOT NULL,
    error text NOT NULL DEFAULT '',
    done_at timestamptz,
    given_up_at timestamptz,
    FOREIGN KEY (code, sequence) REFERENCES smartpark.load_request_event (code, sequence),
    UNIQUE (webhook, code, sequence)
);
CREATE INDEX outbox_waiting ON smartpark.outbox (next_at) WHERE done_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_in_order ON smartpark.outbox (webhook, code, sequence)
    WHERE done_at IS NULL AND given_up_at IS NULL;

-- What a person is told once: a reminder, an escalation, a digest. The key says what it is about, so that planning it
-- again does nothing.
CREATE TABLE smartpark.notice (
    notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (key <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    person text NOT NULL REFERENCES smartpark.person,
    code text REFERENCES smartpark.load_request,
    document jsonb NOT NULL,
    planned_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    error text NOT NULL DEFAULT '',
    done_at timestamptz,
    given_up_at timestamptz
);
CREATE INDEX notice_waiting ON smartpark.notice (next_at) WHERE done_at IS NULL AND given_up_at IS NULL;
CREATE INDEX ON smartpark.notice (code);

-- Nobody's name, role, address or number: whom to ask is the desk's.
CREATE VIEW park.load_request AS
SELECT
    code, park, applicant, enterprise, kind, applied_kva, existing_kva, voltage, supply, user_kind, importance, channel,
    source, probability, wanted_on, node, coincidence, stage, owner, suspended, outcome, approved_kva, scheme_node,
    reserved_kva, reworks, opened_at, accepted_at, stage_since, changed_at, energized_at, ended_at, stage_used,
    stage_limit, stage_due_on, stage_risk_from, stage_rule, stage_runs, total_used, total_limit, total_due_on,
    total_risk_from, total_rule, total_runs, clocks_on, version
FROM smartpark.load_request;

GRANT SELECT ON park.load_request TO smartpark_grafana, smartpark_api, smartpark_ingest;

GRANT SELECT, INSERT, UPDATE ON
    smartpark.person, smartpark.load_request_number, smartpark.webhook TO smartpark_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON smartpark.manager_term, smartpark.saved_view TO smartpark_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON smartpark.idempotent_answer TO smartpark_api;
GRANT SELECT, INSERT ON smartpark.load_request_event, smartpark.load_request_attachment TO smartpark_api;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON smartpark.applicant_link TO smartpark_api;
-- Of the row of a request all that events change; its code, its park and when it was opened stay.
GRANT SELECT, INSERT, UPDATE (
    applicant, enterprise, customer_no, kind, applied_kva, existing_kva, voltage, supply, user_kind, importance, channel,
    source, probability, wanted_on, node, coincidence, stage, owner, suspended, outcome, manager, approved_kva,
    scheme_node, scheme_replied_at, scheme_is_extended, reserved_kva, reworks, accepted_at, stage_since, changed_at,
    energized_at, ended_at, stage_used, stage_limit, stage_due_on, stage_risk_from, stage_rule, stage_runs, total_used,
    total_limit, total_due_on, total_risk_from, total_rule, total_runs, stage_days, stage_limits, clocks_on, version
) ON smartpark.load_request TO smartpark_api;
GRANT SELECT, INSERT ON smartpark.outbox TO smartpark_api;
GRANT SELECT ON smartpark.notice TO smartpark_api;

GRANT SELECT ON
    smartpark.person, smartpark.manager_term, smartpark.load_request, smartpark.load_request_event, smartpark.webhook
    TO smartpark_ingest;
GRANT SELECT, UPDATE (attempts, next_at, error, done_at, given_up_at) ON smartpark.outbox TO smartpark_ingest;
GRANT SELECT, INSERT, UPDATE (attempts, next_at, error, done_at, given_up_at) ON smartpark.notice TO smartpark_ingest;

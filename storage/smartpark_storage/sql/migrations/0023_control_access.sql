-- Who may do what: programs and people, what each was granted for which park and until when, their secrets as digests
-- only, and a log of what was asked and done that nobody rewrites.

CREATE TABLE smartpark.access_client (
    client text PRIMARY KEY CHECK (client ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    title text NOT NULL CHECK (title <> ''),
    contact text NOT NULL,
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL,
    disabled_at timestamptz
);

-- Role of a person or a program in one park, or in all (park is null). A grant is ended, never changed.
CREATE TABLE smartpark.access_grant (
    grant_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text REFERENCES smartpark.person,
    client text REFERENCES smartpark.access_client,
    role text NOT NULL CHECK (role IN ('operator', 'utility_manager', 'province', 'administrator')),
    park text REFERENCES smartpark.park,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    granted_by text NOT NULL CHECK (granted_by <> ''),
    ended_by text,
    CHECK (num_nonnulls(person, client) = 1),
    CHECK (valid_from <= valid_to)
);
CREATE INDEX ON smartpark.access_grant (person) WHERE person IS NOT NULL;
CREATE INDEX ON smartpark.access_grant (client) WHERE client IS NOT NULL;

-- Secrets are random and long, so a plain digest suffices: there is nothing to guess.
-- api_key: sent with each request; client_secret: exchanged for access tokens; access_token: what it is exchanged for.
CREATE TABLE smartpark.access_secret (
    -- The part of the secret that is no secret, by which people speak of it.
    secret_id text PRIMARY KEY CHECK (secret_id ~ '^[a-z0-9]{12}$'),
    client text NOT NULL REFERENCES smartpark.access_client,
    kind text NOT NULL CHECK (kind IN ('api_key', 'client_secret', 'access_token')),
    secret_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(secret_sha256) = 32),
    -- Narrower than the client's roles; empty: all that they allow.
    scopes text[] NOT NULL,
    -- Of an access token: the secret it was had with; with that one revoked it ends too.
    had_with text REFERENCES smartpark.access_secret,
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    revoked_at timestamptz,
    revoked_by text,
    -- To the hour; written seldom, so that reads stay reads.
    last_used_at timestamptz
);
CREATE INDEX ON smartpark.access_secret (client, kind);
CREATE INDEX access_token_expiry ON smartpark.access_secret (expires_at) WHERE kind = 'access_token';

-- Who a person is at an identity provider.
CREATE TABLE smartpark.person_identity (
    issuer text NOT NULL CHECK (issuer <> ''),
    subject text NOT NULL CHECK (subject <> ''),
    person text NOT NULL REFERENCES smartpark.person,
    bound_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX ON smartpark.person_identity (person);

-- A way in that works once, for whoever has no identity provider.
CREATE TABLE smartpark.login_link (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    person text NOT NULL REFERENCES smartpark.person,
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    used_at timestamptz
);
CREATE INDEX ON smartpark.login_link (person);

CREATE TABLE smartpark.person_session (
    session_sha256 bytea PRIMARY KEY CHECK (octet_length(session_sha256) = 32),
    person text NOT NULL REFERENCES smartpark.person,
    method text NOT NULL CHECK (method IN ('oidc', 'link')),
    -- Of the identity provider, to log out there as well; null for a link.
    issuer text,
    begun_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > begun_at),
    ended_at timestamptz,
    ended_by text
);
CREATE INDEX ON smartpark.person_session (person, expires_at);

-- Reads of aggregates and every write; a refusal is written too.
CREATE TABLE smartpark.audit_entry (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    -- 'person:CODE', 'client:NAME', 'local', 'link', 'nobody'
    principal text NOT NULL CHECK (principal <> ''),
    -- Which secret or what else proved it: 'key:ab12…', 'token:…', 'session', 'local'
    proof text NOT NULL,
    -- The operation's name in the API, or 'cli:…' for a command.
    action text NOT NULL CHECK (action <> ''),
    park text,
    -- What it was about: the address without its secrets, or the object's code.
    object text NOT NULL,
    status integer NOT NULL,
    -- Rows handed out or written; null where that means nothing.
    rows bigint,
    -- What else matters: cursor positions, digest, what changed; never a secret.
    detail jsonb NOT NULL DEFAULT '{}',
    remote text NOT NULL,
    request_id text NOT NULL
);
CREATE INDEX ON smartpark.audit_entry (at DESC, entry_id DESC);
CREATE INDEX ON smartpark.audit_entry (principal, at DESC);
CREATE INDEX ON smartpark.audit_entry (park, at DESC) WHERE park IS NOT NULL;

CREATE FUNCTION smartpark.refuse_rewriting_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_audit();

-- A grant only ends.
CREATE FUNCTION smartpark.refuse_rewriting_grants() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept smartpark.access_grant := OLD;
BEGIN
    kept.valid_to := NEW.valid_to;
    kept.ended_by := NEW.ended_by;
    IF OLD.ended_by IS NOT NULL OR kept IS DISTINCT FROM NEW OR NEW.valid_to > OLD.valid_to THEN
        RAISE EXCEPTION 'grant % only ends, it does not change', OLD.grant_id
            USING HINT = 'end it and grant another', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER access_grant_is_kept BEFORE UPDATE ON smartpark.access_grant
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_rewriting_grants();

GRANT SELECT, INSERT, UPDATE (title, contact, disabled_at) ON smartpark.access_client TO smartpark_api;
GRANT SELECT, INSERT, UPDATE (valid_to, ended_by) ON smartpark.access_grant TO smartpark_api;
GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_by, last_used_at) ON smartpark.access_secret TO smartpark_api;
-- Access tokens that ended long ago are swept away, nothing else is.
GRANT DELETE ON smartpark.access_secret TO smartpark_api;
CREATE FUNCTION smartpark.refuse_forgetting_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind <> 'access_token' THEN
        RAISE EXCEPTION 'secret % of % is revoked, not removed', OLD.secret_id, OLD.client
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER access_secret_is_kept BEFORE DELETE ON smartpark.access_secret
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_forgetting_secrets();
GRANT SELECT, INSERT, DELETE ON smartpark.person_identity TO smartpark_api;
GRANT SELECT, INSERT, UPDATE (used_at) ON smartpark.login_link TO smartpark_api;
GRANT SELECT, INSERT, UPDATE (seen_at, ended_at, ended_by) ON smartpark.person_session TO smartpark_api;
GRANT SELECT, INSERT ON smartpark.audit_entry TO smartpark_api, smartpark_ingest;

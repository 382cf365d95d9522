-- Programs and people with access: clients, grants, secrets, sessions, log-in links. Secrets come here as digests only.

-- access_add_client --
INSERT INTO smartpark.access_client (client, title, contact, made_by, made_at)
VALUES (%(client)s, %(title)s, %(contact)s, %(by)s, %(at)s);

-- access_change_client --
UPDATE smartpark.access_client SET title = %(title)s, contact = %(contact)s WHERE client = %(client)s;

-- access_disable_client --
-- One that is disabled stays disabled since when it was.
UPDATE smartpark.access_client SET disabled_at = coalesce(disabled_at, %(at)s) WHERE client = %(client)s;

-- access_enable_client --
UPDATE smartpark.access_client SET disabled_at = NULL WHERE client = %(client)s;

-- access_clients --
SELECT client, title, contact, made_by, made_at, disabled_at
FROM smartpark.access_client
WHERE %(client)s::text IS NULL OR client = %(client)s
ORDER BY client;

-- access_covering_grant --
SELECT grant_id
FROM smartpark.access_grant
WHERE
    person IS NOT DISTINCT FROM %(person)s AND client IS NOT DISTINCT FROM %(client)s AND role = %(role)s
    AND park IS NOT DISTINCT FROM %(park)s AND ended_by IS NULL
    AND valid_from <= %(since)s AND valid_to >= %(until)s
LIMIT 1;

-- access_add_grant --
INSERT INTO smartpark.access_grant (person, client, role, park, valid_from, valid_to, granted_by)
VALUES (%(person)s, %(client)s, %(role)s, %(park)s, %(since)s, %(until)s, %(by)s)
RETURNING grant_id;

-- access_end_grant --
-- One that has not begun yet never does.
UPDATE smartpark.access_grant
SET valid_to = greatest(valid_from, least(valid_to, %(at)s)), ended_by = %(by)s
WHERE grant_id = %(grant_id)s AND ended_by IS NULL AND valid_to > %(at)s;

-- access_grants_of --
-- What counts at a moment: nothing of a program that is disabled or of a person who has left.
SELECT g.role, g.park
FROM smartpark.access_grant AS g
LEFT JOIN smartpark.access_client AS c USING (client)
LEFT JOIN smartpark.person AS p ON p.code = g.person
WHERE
    g.person IS NOT DISTINCT FROM %(person)s AND g.client IS NOT DISTINCT FROM %(client)s
    AND g.valid_from <= %(at)s AND %(at)s < g.valid_to
    AND CASE WHEN g.client IS NULL THEN p.is_active ELSE c.disabled_at IS NULL END
ORDER BY g.role, g.park NULLS FIRST;

-- access_grants --
SELECT grant_id, person, client, role, park, valid_from, nullif(valid_to, 'infinity') AS valid_to, granted_by, ended_by
FROM smartpark.access_grant
WHERE
    (%(person)s::text IS NULL OR person = %(person)s) AND (%(client)s::text IS NULL OR client = %(client)s)
    AND (%(park)s::text IS NULL OR park = %(park)s OR park IS NULL)
    AND (%(at)s::timestamptz IS NULL OR valid_to > %(at)s)
ORDER BY grant_id;

-- access_add_secret --
INSERT INTO smartpark.access_secret (
    secret_id, client, kind, secret_sha256, scopes, had_with, made_by, made_at, expires_at
)
VALUES (
    %(secret_id)s, %(client)s, %(kind)s, %(digest)s, %(scopes)s, %(had_with)s, %(by)s, %(at)s, %(expires_at)s
);

-- access_find_secret --
-- With what ends a token: the secret it was had with, and the client.
SELECT
    s.secret_id, s.client, s.kind, s.scopes, s.had_with, s.made_by, s.made_at,
    least(s.expires_at, w.expires_at) AS expires_at, least(s.revoked_at, w.revoked_at) AS revoked_at, s.last_used_at, s.secret_sha256, c.title, c.disabled_at
FROM smartpark.access_secret AS s
JOIN smartpark.access_client AS c USING (client)
LEFT JOIN smartpark.access_secret AS w ON w.secret_id = s.had_with
WHERE s.secret_id = %(secret_id)s;

-- access_secrets --
-- Tokens come and go by themselves; whoever asks for secrets means those that people keep.
SELECT
    secret_id, client, kind, scopes, had_with, made_by, made_at, expires_at, revoked_at, revoked_by, last_used_at
FROM smartpark.access_secret
WHERE (%(client)s::text IS NULL OR client = %(client)s) AND (kind <> 'access_token' OR %(with_tokens)s)
ORDER BY client, made_at, secret_id;

-- access_revoke_secret --
-- A rotated secret ends at a moment to come; revoking it makes that moment sooner, never later.
UPDATE smartpark.access_secret
SET revoked_at = %(at)s, revoked_by = %(by)s
WHERE secret_id = %(secret_id)s AND (revoked_at IS NULL OR revoked_at > %(at)s);

-- access_touch_secret --
UPDATE smartpark.access_secret
SET last_used_at = date_trunc('hour', %(at)s::timestamptz)
WHERE secret_id = %(secret_id)s AND (last_used_at IS NULL OR last_used_at < date_trunc('hour', %(at)s::timestamptz));

-- access_sweep_tokens --
DELETE FROM smartpark.access_secret WHERE kind = 'access_token' AND expires_at < %(before)s;

-- access_bind_identity --
INSERT INTO smartpark.person_identity (issuer, subject, person, bound_at)
VALUES (%(issuer)s, %(subject)s, %(person)s, %(at)s);

-- access_unbind_identity --
DELETE FROM smartpark.person_identity WHERE issuer = %(issuer)s AND subject = %(subject)s;

-- access_person_of_identity --
SELECT i.person, p.is_active
FROM smartpark.person_identity AS i
JOIN smartpark.person AS p ON p.code = i.person
WHERE i.issuer = %(issuer)s AND i.subject = %(subject)s;

-- access_identities --
SELECT issuer, subject, person, bound_at
FROM smartpark.person_identity
WHERE %(person)s::text IS NULL OR person = %(person)s
ORDER BY person, issuer, subject;

-- access_add_link --
INSERT INTO smartpark.login_link (token_sha256, person, made_by, made_at, expires_at)
SELECT %(digest)s, code, %(by)s, %(at)s, %(expires_at)s FROM smartpark.person WHERE code = %(person)s AND is_active;

-- access_use_link --
-- Two who use it at once: the second waits for the first and then finds it used.
UPDATE smartpark.login_link AS l
SET used_at = %(at)s
FROM smartpark.person AS p
WHERE
    l.token_sha256 = %(digest)s AND l.used_at IS NULL AND l.expires_at > %(at)s
    AND p.code = l.person AND p.is_active
RETURNING l.person;

-- access_why_no_link --
SELECT used_at IS NOT NULL AS is_used, expires_at FROM smartpark.login_link WHERE token_sha256 = %(digest)s;

-- access_begin_session --
INSERT INTO smartpark.person_session (session_sha256, person, method, issuer, begun_at, seen_at, expires_at)
VALUES (%(digest)s, %(person)s, %(method)s, %(issuer)s, %(at)s, %(at)s, %(expires_at)s);

-- access_find_session --
SELECT
    left(encode(s.session_sha256, 'hex'), 12) AS session_id, s.person, p.name, coalesce(nullif(p.name_en, ''), p.name) AS name_en, s.method, s.issuer, s.begun_at,
    s.seen_at, s.expires_at, s.ended_at, s.ended_by
FROM smartpark.person_session AS s
JOIN smartpark.person AS p ON p.code = s.person
WHERE
    s.session_sha256 = %(digest)s AND s.ended_at IS NULL AND s.expires_at > %(at)s AND s.seen_at > %(idle_since)s
    AND p.is_active;

-- access_touch_session --
UPDATE smartpark.person_session SET seen_at = %(at)s
WHERE session_sha256 = %(digest)s AND seen_at < %(at)s;

-- access_end_session --
UPDATE smartpark.person_session SET ended_at = %(at)s, ended_by = %(by)s
WHERE session_sha256 = %(digest)s AND ended_at IS NULL;

-- access_end_session_by_id --
UPDATE smartpark.person_session SET ended_at = %(at)s, ended_by = %(by)s
WHERE left(encode(session_sha256, 'hex'), 12) = %(session_id)s AND ended_at IS NULL AND expires_at > %(at)s;

-- access_end_sessions_of --
UPDATE smartpark.person_session SET ended_at = %(at)s, ended_by = %(by)s
WHERE person = %(person)s AND ended_at IS NULL AND expires_at > %(at)s;

-- access_sessions --
SELECT
    left(encode(s.session_sha256, 'hex'), 12) AS session_id, s.person, p.name, coalesce(nullif(p.name_en, ''), p.name) AS name_en, s.method, s.issuer, s.begun_at,
    s.seen_at, s.expires_at, s.ended_at, s.ended_by
FROM smartpark.person_session AS s
JOIN smartpark.person AS p ON p.code = s.person
WHERE
    (%(person)s::text IS NULL OR s.person = %(person)s)
    AND (%(at)s::timestamptz IS NULL OR (s.ended_at IS NULL AND s.expires_at > %(at)s))
ORDER BY s.begun_at DESC, session_id
LIMIT %(limit)s;

-- audit_add --
INSERT INTO smartpark.audit_entry (
    at, principal, proof, action, park, object, status, rows, detail, remote, request_id
)
VALUES (
    %(at)s, %(principal)s, %(proof)s, %(action)s, %(park)s, %(object)s, %(status)s, %(rows)s, %(detail)s, %(remote)s,
    %(request_id)s
);

-- audit_entries --
-- The newest first, going on below an entry.
SELECT entry_id, at, principal, proof, action, park, object, status, rows, detail, remote, request_id
FROM smartpark.audit_entry
WHERE
    (%(principal)s::text IS NULL OR principal = %(principal)s)
    AND (%(action)s::text IS NULL OR starts_with(action, %(action)s))
    AND (%(parks)s::text[] IS NULL OR park = ANY (%(parks)s))
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    AND (NOT %(refused_only)s OR status >= 400)
    AND (%(below_at)s::timestamptz IS NULL OR (at, entry_id) < (%(below_at)s, %(below_id)s))
ORDER BY at DESC, entry_id DESC
LIMIT %(limit)s;

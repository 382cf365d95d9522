-- People of the desk, links for applicants, attachments' rows, answers to repeated writes, saved views.

-- put_person --
INSERT INTO smartpark.person (code, name, name_en, email, phone, language, is_active)
VALUES (%(code)s, %(name)s, %(name_en)s, %(email)s, %(phone)s, %(language)s, %(is_active)s)
ON CONFLICT (code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, email = excluded.email, phone = excluded.phone,
    language = excluded.language, is_active = excluded.is_active;

-- read_persons --
SELECT code, name, name_en, email, phone, language, is_active
FROM smartpark.person
WHERE (%(code)s::text IS NULL OR code = %(code)s) AND (%(is_active)s::boolean IS NULL OR is_active = %(is_active)s)
ORDER BY code;

-- put_manager_term --
INSERT INTO smartpark.manager_term (park, duty, person, valid_from, valid_to)
VALUES (%(park)s, %(duty)s, %(person)s, %(valid_from)s, coalesce(%(valid_to)s, 'infinity'::date))
ON CONFLICT (park, duty, valid_from) DO UPDATE SET person = excluded.person, valid_to = excluded.valid_to;

-- delete_manager_term --
DELETE FROM smartpark.manager_term WHERE park = %(park)s AND duty = %(duty)s AND valid_from = %(valid_from)s;

-- read_manager_terms --
SELECT park, person, duty, valid_from, nullif(valid_to, 'infinity') AS valid_to
FROM smartpark.manager_term
WHERE %(park)s::text IS NULL OR park = %(park)s
ORDER BY park, duty DESC, valid_from;

-- managers_on --
SELECT t.duty, p.code, p.name, p.name_en, p.email, p.phone, p.language, p.is_active
FROM smartpark.manager_term AS t
JOIN smartpark.person AS p ON p.code = t.person
WHERE t.park = %(park)s AND t.valid_from <= %(day)s AND %(day)s < t.valid_to;

-- begin_idempotent --
-- Whoever comes second waits here for the first one's transaction to end.
INSERT INTO smartpark.idempotent_answer (key, actor, fingerprint, begun_at)
VALUES (%(key)s, %(actor)s, %(fingerprint)s, %(at)s)
ON CONFLICT (key) DO NOTHING;

-- idempotent_answer --
SELECT actor, fingerprint, status, body FROM smartpark.idempotent_answer WHERE key = %(key)s;

-- finish_idempotent --
UPDATE smartpark.idempotent_answer SET status = %(status)s, body = %(body)s WHERE key = %(key)s;

-- forget_idempotent --
-- What was taken in from elsewhere stays known under its reference for good.
DELETE FROM smartpark.idempotent_answer WHERE begun_at < %(before)s AND NOT starts_with(key, 'import:');

-- make_link --
INSERT INTO smartpark.applicant_link (code, token_sha256, made_by, made_at, expires_at)
VALUES (%(code)s, %(digest)s, %(by)s, %(at)s, %(expires_at)s);

-- read_links --
SELECT link_id, code, made_by, made_at, expires_at, revoked_at
FROM smartpark.applicant_link
WHERE code = %(code)s
ORDER BY link_id;

-- revoke_link --
UPDATE smartpark.applicant_link SET revoked_at = %(at)s WHERE link_id = %(link_id)s AND revoked_at IS NULL;

-- request_of_link --
SELECT code
FROM smartpark.applicant_link
WHERE token_sha256 = %(digest)s AND revoked_at IS NULL AND expires_at > %(now)s;

-- insert_attachment --
INSERT INTO smartpark.load_request_attachment (
    attachment, code, name, kind, media_type, size_bytes, sha256, uploaded_by, uploaded_at
) VALUES (
    %(attachment)s, %(code)s, %(name)s, %(kind)s, %(media_type)s, %(size_bytes)s, %(sha256)s, %(uploaded_by)s,
    %(uploaded_at)s
);

-- read_attachments --
SELECT attachment, code, name, kind, media_type, size_bytes, sha256, uploaded_by, uploaded_at
FROM smartpark.load_request_attachment
WHERE (%(code)s::text IS NULL OR code = %(code)s) AND (%(attachment)s::text IS NULL OR attachment = %(attachment)s)
ORDER BY uploaded_at, attachment;

-- put_saved_view --
INSERT INTO smartpark.saved_view (person, name, query) VALUES (%(person)s, %(name)s, %(query)s)
ON CONFLICT (person, name) DO UPDATE SET query = excluded.query;

-- delete_saved_view --
DELETE FROM smartpark.saved_view WHERE person = %(person)s AND name = %(name)s;

-- read_saved_views --
SELECT person, name, query FROM smartpark.saved_view WHERE person = %(person)s ORDER BY name;

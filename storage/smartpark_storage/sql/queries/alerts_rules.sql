-- Rules of alerts with all their versions, silences, contacts and routes.

-- newest_alert_rules --
SELECT DISTINCT ON (code) code, version, document, is_active, written_by, written_at
FROM smartpark.alert_rule
ORDER BY code, version DESC;

-- alert_rule_versions --
SELECT code, version, document, is_active, written_by, written_at
FROM smartpark.alert_rule
WHERE code = %(code)s
ORDER BY version DESC;

-- add_alert_rule --
INSERT INTO smartpark.alert_rule (code, version, park, document, is_active, written_by, written_at)
VALUES (%(code)s, %(version)s, %(park)s, %(document)s, %(is_active)s, %(by)s, %(at)s);

-- add_alert_silence --
INSERT INTO smartpark.alert_silence (park, kind, matchers, starts_at, ends_at, reason, created_by, created_at)
VALUES (%(park)s, %(kind)s, %(matchers)s, %(starts_at)s, %(ends_at)s, %(reason)s, %(by)s, %(at)s)
RETURNING silence_id;

-- end_alert_silence --
UPDATE smartpark.alert_silence
SET ended_by = %(by)s, ended_at = %(at)s
WHERE silence_id = %(silence_id)s AND ended_at IS NULL AND ends_at > %(at)s;

-- alert_silences --
-- Those that touch a span, the newest first.
SELECT silence_id, park, kind, matchers, starts_at, ends_at, reason, created_by, created_at, ended_by, ended_at
FROM smartpark.alert_silence
WHERE
    (%(silence_id)s::bigint IS NULL OR silence_id = %(silence_id)s)
    AND (%(park)s::text IS NULL OR park IS NULL OR park = %(park)s)
    AND (%(start)s::timestamptz IS NULL OR least(ends_at, ended_at) > %(start)s)
    AND (%(end)s::timestamptz IS NULL OR starts_at < %(end)s)
ORDER BY silence_id DESC;

-- put_alert_contact --
INSERT INTO smartpark.alert_contact (code, park, document, is_active)
VALUES (%(code)s, %(park)s, %(document)s, %(is_active)s)
ON CONFLICT (code) DO UPDATE
SET park = excluded.park, document = excluded.document, is_active = excluded.is_active;

-- alert_contacts --
SELECT document FROM smartpark.alert_contact ORDER BY code;

-- put_alert_route --
INSERT INTO smartpark.alert_route (code, park, position, document, is_active)
VALUES (%(code)s, %(park)s, %(position)s, %(document)s, %(is_active)s)
ON CONFLICT (code) DO UPDATE
SET park = excluded.park, position = excluded.position, document = excluded.document, is_active = excluded.is_active;

-- alert_routes --
SELECT position, document FROM smartpark.alert_route ORDER BY position, code;

-- Secret addresses of calendars of due dates.

-- make_calendar_link --
INSERT INTO smartpark.calendar_link (token_sha256, person, park, made_by, made_at)
VALUES (%(digest)s, %(person)s, %(park)s, %(by)s, %(at)s)
RETURNING link_id;

-- read_calendar_links --
SELECT link_id, person, park, made_by, made_at, revoked_at
FROM smartpark.calendar_link
WHERE revoked_at IS NULL
ORDER BY link_id;

-- calendar_of_link --
SELECT link_id, person, park, made_by, made_at, revoked_at
FROM smartpark.calendar_link
WHERE token_sha256 = %(digest)s AND revoked_at IS NULL;

-- revoke_calendar_link --
UPDATE smartpark.calendar_link SET revoked_at = %(at)s WHERE link_id = %(link_id)s AND revoked_at IS NULL;

-- What leaves the desk: events for webhooks, and notices for people.

-- put_webhook --
INSERT INTO smartpark.webhook (name, url, secret_ref, park, events, is_active)
VALUES (%(name)s, %(url)s, %(secret_ref)s, %(park)s, %(events)s, %(is_active)s)
ON CONFLICT (name) DO UPDATE SET
    url = excluded.url, secret_ref = excluded.secret_ref, park = excluded.park, events = excluded.events,
    is_active = excluded.is_active;

-- read_webhooks --
SELECT name, url, secret_ref, events, park, is_active FROM smartpark.webhook ORDER BY name;

-- claim_outbox --
-- What is due and not in somebody else's hand; of one request and webhook only the oldest that waits, so that a
-- receiver hears of events in their order. A webhook that was switched off keeps what waits.
WITH taken AS (
    SELECT o.outbox_id
    FROM smartpark.outbox AS o
    JOIN smartpark.webhook AS w ON w.name = o.webhook AND w.is_active
    WHERE o.done_at IS NULL AND o.given_up_at IS NULL AND o.next_at <= %(now)s
        AND NOT EXISTS (
            SELECT FROM smartpark.outbox AS earlier
            WHERE earlier.webhook = o.webhook AND earlier.code = o.code AND earlier.sequence < o.sequence
                AND earlier.done_at IS NULL AND earlier.given_up_at IS NULL
        )
    ORDER BY o.next_at, o.outbox_id
    LIMIT %(limit)s
    FOR UPDATE OF o SKIP LOCKED
)
UPDATE smartpark.outbox AS o
SET attempts = o.attempts + 1, next_at = %(lease_until)s
FROM taken, smartpark.webhook AS w, smartpark.load_request AS r, smartpark.load_request_event AS e
WHERE o.outbox_id = taken.outbox_id AND w.name = o.webhook AND r.code = o.code
    AND e.code = o.code AND e.sequence = o.sequence
RETURNING
    o.outbox_id, o.attempts, w.name, w.url, w.secret_ref, r.park, o.code, e.sequence, e.at, e.recorded_at, e.by, e.body;

-- done_outbox --
UPDATE smartpark.outbox SET done_at = %(at)s, error = ''
WHERE outbox_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- retry_outbox --
UPDATE smartpark.outbox SET next_at = %(at)s, error = %(error)s
WHERE outbox_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- give_up_outbox --
UPDATE smartpark.outbox SET given_up_at = %(at)s, error = %(error)s
WHERE outbox_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- outbox_state --
SELECT
    w.name, count(o.outbox_id) FILTER (WHERE o.done_at IS NULL AND o.given_up_at IS NULL),
    count(o.outbox_id) FILTER (WHERE o.done_at IS NOT NULL), count(o.outbox_id) FILTER (WHERE o.given_up_at IS NOT NULL),
    min(e.recorded_at) FILTER (WHERE o.done_at IS NULL AND o.given_up_at IS NULL),
    coalesce((array_agg(o.error ORDER BY o.outbox_id DESC) FILTER (WHERE o.error <> ''))[1], '')
FROM smartpark.webhook AS w
LEFT JOIN smartpark.outbox AS o ON o.webhook = w.name
LEFT JOIN smartpark.load_request_event AS e ON e.code = o.code AND e.sequence = o.sequence
GROUP BY w.name
ORDER BY w.name;

-- plan_notice --
-- Planned once: what it is about is its key.
INSERT INTO smartpark.notice (key, kind, person, code, document, planned_at, next_at)
VALUES (%(key)s, %(kind)s, %(person)s, %(code)s, %(document)s, %(at)s, %(at)s)
ON CONFLICT (key) DO NOTHING;

-- claim_notices --
WITH taken AS (
    SELECT notice_id
    FROM smartpark.notice
    WHERE done_at IS NULL AND given_up_at IS NULL AND next_at <= %(now)s
    ORDER BY next_at, notice_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE smartpark.notice AS n
SET attempts = n.attempts + 1, next_at = %(lease_until)s
FROM taken, smartpark.person AS p
WHERE n.notice_id = taken.notice_id AND p.code = n.person
RETURNING
    n.notice_id, n.attempts, n.key, n.kind, n.code, n.document, n.planned_at,
    p.code, p.name, p.name_en, p.email, p.phone, p.language, p.is_active;

-- done_notice --
UPDATE smartpark.notice SET done_at = %(at)s, error = ''
WHERE notice_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- retry_notice --
UPDATE smartpark.notice SET next_at = %(at)s, error = %(error)s
WHERE notice_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- give_up_notice --
UPDATE smartpark.notice SET given_up_at = %(at)s, error = %(error)s
WHERE notice_id = %(id)s AND done_at IS NULL AND given_up_at IS NULL;

-- notices_of --
SELECT key, kind, person, planned_at, attempts, error, done_at, given_up_at
FROM smartpark.notice
WHERE code = %(code)s
ORDER BY planned_at, notice_id;

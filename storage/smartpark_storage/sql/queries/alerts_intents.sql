-- What is to be told, once.

-- plan_alert_intents --
INSERT INTO smartpark.alert_intent (key, contact, kind, park, alerts, group_key, body, planned_at, due_at)
SELECT
    given.key, given.contact, given.kind, given.park, given.alerts::bigint[], given.group_key, given.body::jsonb,
    %(at)s, given.due_at
FROM unnest(
    %(keys)s::text[], %(contacts)s::text[], %(kinds)s::text[], %(parks)s::text[], %(alerts)s::text[],
    %(groups)s::text[], %(bodies)s::text[], %(due)s::timestamptz[]
) AS given (key, contact, kind, park, alerts, group_key, body, due_at)
ON CONFLICT (key) DO NOTHING
RETURNING key;

-- claim_alert_intents --
WITH taken AS (
    SELECT intent_id
    FROM smartpark.alert_intent
    WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL AND due_at <= %(now)s
        AND (lease_until IS NULL OR lease_until <= %(now)s)
    ORDER BY due_at, intent_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE smartpark.alert_intent AS i
SET attempts = i.attempts + 1, lease_until = %(lease_until)s
FROM taken
WHERE i.intent_id = taken.intent_id
RETURNING
    i.intent_id, i.key, i.contact, i.kind, i.park, i.alerts, i.group_key, i.body, i.planned_at, i.due_at, i.attempts,
    i.lease_until, i.sent_at, i.given_up_at, i.withdrawn_at, i.error;

-- sent_alert_intents --
UPDATE smartpark.alert_intent SET sent_at = %(at)s, lease_until = NULL, error = ''
WHERE intent_id = ANY(%(ids)s::bigint[]) AND sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;

-- retry_alert_intents --
UPDATE smartpark.alert_intent SET due_at = %(at)s, lease_until = NULL, error = %(error)s
WHERE intent_id = ANY(%(ids)s::bigint[]) AND sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;

-- give_up_alert_intents --
UPDATE smartpark.alert_intent SET given_up_at = %(at)s, lease_until = NULL, error = %(error)s
WHERE intent_id = ANY(%(ids)s::bigint[]) AND sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;

-- withdraw_alert_intents --
UPDATE smartpark.alert_intent SET withdrawn_at = %(at)s, lease_until = NULL, error = %(error)s
WHERE intent_id = ANY(%(ids)s::bigint[]) AND sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;

-- alert_intents --
SELECT
    intent_id, key, contact, kind, park, alerts, group_key, body, planned_at, due_at, attempts, lease_until, sent_at,
    given_up_at, withdrawn_at, error
FROM smartpark.alert_intent
WHERE
    (%(alert_id)s::bigint IS NULL OR alerts @> ARRAY[%(alert_id)s::bigint])
    AND (%(contact)s::text IS NULL OR contact = %(contact)s)
    AND (%(planned_from)s::timestamptz IS NULL OR planned_at >= %(planned_from)s)
    AND (
        NOT %(is_waiting)s::boolean OR (sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL)
    )
ORDER BY intent_id DESC
LIMIT %(limit)s;

-- alert_intent_next_due --
-- When there will be something to do.
SELECT min(greatest(due_at, lease_until))
FROM smartpark.alert_intent
WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL;

-- alert_intent_state --
SELECT
    contact,
    count(*) FILTER (WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL),
    count(sent_at), count(given_up_at), count(withdrawn_at),
    min(planned_at) FILTER (WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL),
    max(sent_at),
    coalesce((array_agg(error ORDER BY intent_id DESC) FILTER (WHERE error <> '' AND withdrawn_at IS NULL))[1], '')
FROM smartpark.alert_intent
WHERE %(planned_from)s::timestamptz IS NULL OR planned_at >= %(planned_from)s
GROUP BY contact
ORDER BY contact;

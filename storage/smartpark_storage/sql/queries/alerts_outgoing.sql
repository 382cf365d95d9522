-- What is to be told, while it still waits for more; and whom alerts were told to.

-- collecting_alert_intents --
-- Nobody has tried them, and they are not due yet; whoever claims one meanwhile is waited for, and it is left out.
SELECT
    intent_id, key, contact, kind, park, alerts, group_key, body, planned_at, due_at, attempts, lease_until, sent_at,
    given_up_at, withdrawn_at, error
FROM smartpark.alert_intent
WHERE sent_at IS NULL AND given_up_at IS NULL AND withdrawn_at IS NULL AND attempts = 0 AND due_at > %(now)s
    AND contact = ANY(%(contacts)s)
ORDER BY intent_id
FOR UPDATE;

-- extend_alert_intents --
UPDATE smartpark.alert_intent AS i
SET alerts = given.alerts::bigint[], body = given.body::jsonb, park = given.park
FROM unnest(%(ids)s::bigint[], %(alerts)s::text[], %(bodies)s::text[], %(parks)s::text[])
    AS given (intent_id, alerts, body, park)
WHERE i.intent_id = given.intent_id AND i.attempts = 0;

-- alert_intents_planned --
-- Messages of their own: what collects is not counted, for it is what the rest is put off into.
SELECT contact, count(*)
FROM smartpark.alert_intent
WHERE contact = ANY(%(contacts)s) AND planned_at > %(planned_from)s AND withdrawn_at IS NULL
    AND NOT kind = ANY(%(except_kinds)s)
GROUP BY contact;

-- alert_told_contacts --
SELECT told.alert_id, i.contact
FROM smartpark.alert_intent AS i
CROSS JOIN LATERAL unnest(i.alerts) AS told (alert_id)
WHERE i.alerts && %(alerts)s::bigint[] AND told.alert_id = ANY(%(alerts)s::bigint[]) AND i.withdrawn_at IS NULL
GROUP BY told.alert_id, i.contact
ORDER BY told.alert_id, i.contact;

-- claim_next_alert_intent --
-- What has been due longest, but for contacts that are left alone; of one matter and contact what was planned first.
WITH taken AS (
    SELECT i.intent_id
    FROM smartpark.alert_intent AS i
    WHERE i.sent_at IS NULL AND i.given_up_at IS NULL AND i.withdrawn_at IS NULL AND i.due_at <= %(now)s
        AND (i.lease_until IS NULL OR i.lease_until <= %(now)s) AND NOT i.contact = ANY(%(except_contacts)s)
        AND NOT EXISTS (
            SELECT FROM smartpark.alert_intent AS earlier
            WHERE earlier.sent_at IS NULL AND earlier.given_up_at IS NULL AND earlier.withdrawn_at IS NULL
                AND earlier.contact = i.contact AND earlier.group_key = i.group_key
                AND earlier.intent_id < i.intent_id AND (earlier.attempts > 0 OR earlier.due_at <= %(now)s)
        )
    ORDER BY i.due_at, i.intent_id
    LIMIT 1
    FOR UPDATE OF i SKIP LOCKED
)
UPDATE smartpark.alert_intent AS i
SET attempts = i.attempts + 1, lease_until = %(lease_until)s
FROM taken
WHERE i.intent_id = taken.intent_id
RETURNING
    i.intent_id, i.key, i.contact, i.kind, i.park, i.alerts, i.group_key, i.body, i.planned_at, i.due_at, i.attempts,
    i.lease_until, i.sent_at, i.given_up_at, i.withdrawn_at, i.error;

-- told_facts_of_firing_alerts --
-- The newest facts by which each contact was told of each alert that still fires.
SELECT c.contact, found.item
FROM smartpark.alert AS a
CROSS JOIN unnest(%(contacts)s::text[]) AS c (contact)
CROSS JOIN LATERAL (
    SELECT told.item
    FROM smartpark.alert_intent AS i
    CROSS JOIN LATERAL jsonb_array_elements(i.body -> 'items') AS told (item)
    WHERE i.alerts @> ARRAY[a.alert_id] AND i.contact = c.contact AND i.sent_at IS NOT NULL
        AND (told.item ->> 'alert')::bigint = a.alert_id
    ORDER BY i.intent_id DESC
    LIMIT 1
) AS found
WHERE a.state = 'firing'
ORDER BY c.contact, a.alert_id;

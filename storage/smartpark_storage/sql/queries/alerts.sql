-- Alerts: their events, the row that says where each stands, and lists of those rows.

-- alert_columns --
-- What every list shows of an alert: a piece of a statement, which the ones below go on from.
SELECT
    a.alert_id, a.group_key, a.change, a.park, a.rule, a.rule_version, a.object, a.cause, a.device, a.edge, a.severity,
    a.state, a.since, a.known_at, a.last_value, a.limit_value, a.unit, a.last_at, a.worst, a.worst_limit, a.worst_unit,
    a.worst_at, a.sequence, a.changed_at, a.fired_at, a.cleared_at, a.resolved_at, a.ended_by, a.reopened, a.settles_at,
    a.acknowledged_by, a.acknowledged_at, a.assignee, a.snoozed_until, a.resolution, a.label, a.hidden, a.hidden_by,
    a.told, a.told_severity, a.told_flapping, a.told_at, a.escalation
FROM smartpark.alert AS a;

-- alerts_by_id --
WHERE a.alert_id = ANY(%(ids)s::bigint[])
ORDER BY a.alert_id;

-- alerts_by_id_locked --
WHERE a.alert_id = ANY(%(ids)s::bigint[])
ORDER BY a.alert_id
FOR UPDATE OF a;

-- alerts_that_count --
-- What an evaluation has to know: per rule and object the newest alert, as long as it is open, or its condition holds,
-- or it may still come back.
JOIN (
    SELECT DISTINCT ON (n.rule, n.object) n.alert_id
    FROM (
        SELECT alert_id, rule, object, since FROM smartpark.alert WHERE state <> 'resolved'
        UNION ALL
        SELECT alert_id, rule, object, since FROM smartpark.alert WHERE cleared_at IS NULL AND state = 'resolved'
        UNION ALL
        SELECT alert_id, rule, object, since FROM smartpark.alert WHERE resolved_at >= %(ended_after)s
    ) AS n
    ORDER BY n.rule, n.object, n.since DESC, n.alert_id DESC
) AS newest ON newest.alert_id = a.alert_id
ORDER BY a.rule, a.object;

-- alerts_fit --
WHERE (%(park)s::text IS NULL OR a.park = %(park)s)
    AND (%(parks)s::text[] IS NULL OR a.park = ANY(%(parks)s))
    AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s))
    AND (%(severities)s::text[] IS NULL OR a.severity = ANY(%(severities)s))
    AND (%(causes)s::text[] IS NULL OR a.cause = ANY(%(causes)s))
    AND (%(rule)s::text IS NULL OR a.rule = %(rule)s)
    AND (%(object)s::text IS NULL OR a.object = %(object)s)
    AND (%(device)s::text IS NULL OR a.device = %(device)s)
    AND (%(edge)s::text IS NULL OR a.edge = %(edge)s)
    AND (%(group_key)s::text IS NULL OR a.group_key = %(group_key)s)
    AND (%(since)s::timestamptz IS NULL OR a.since >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR a.since < %(until)s)
    AND (%(assignee)s::text IS NULL OR a.assignee = %(assignee)s)
    AND (%(is_acknowledged)s::boolean IS NULL OR (a.acknowledged_by IS NOT NULL) = %(is_acknowledged)s)
    AND (%(is_hidden)s::boolean IS NULL OR (a.hidden IS NOT NULL) = %(is_hidden)s)
    AND (%(has_fired)s::boolean IS NULL OR (a.fired_at IS NOT NULL) = %(has_fired)s)
    AND (%(label)s::text IS NULL OR a.label = %(label)s)
    AND (%(text)s::text IS NULL OR strpos(a.searched, lower(%(text)s)) > 0);

-- alerts_newest_first --
AND (%(below_since)s::timestamptz IS NULL OR (a.since, a.alert_id) < (%(below_since)s, %(below_id)s::bigint))
ORDER BY a.since DESC, a.alert_id DESC
LIMIT %(limit)s;

-- alerts_between --
WHERE a.rule = %(rule)s AND a.object = ANY(%(objects)s::text[])
    AND a.since < %(end)s AND (a.cleared_at IS NULL OR a.cleared_at > %(start)s)
ORDER BY a.object, a.since, a.alert_id;

-- alerts_similar --
-- Earlier ones of the same rule and object, and then those of the same matter.
WHERE a.alert_id <> %(alert_id)s AND a.fired_at IS NOT NULL
    AND ((a.rule = %(rule)s AND a.object = %(object)s) OR a.group_key = %(group_key)s)
ORDER BY (a.rule = %(rule)s AND a.object = %(object)s) DESC, a.since DESC, a.alert_id DESC
LIMIT %(limit)s;

-- alerts_changed --
WHERE a.change > %(after)s
ORDER BY a.change
LIMIT %(limit)s;

-- alert_newest_change --
SELECT coalesce(max(change), 0) FROM smartpark.alert;

-- insert_alerts --
-- One that is on record already is left as it is.
INSERT INTO smartpark.alert (
    group_key, park, rule, rule_version, object, cause, device, edge, severity, state, since, known_at, last_value,
    limit_value, unit, last_at, worst, worst_limit, worst_unit, worst_at, sequence, changed_at, fired_at, cleared_at,
    resolved_at, ended_by, reopened, is_flapping, settles_at, acknowledged_by, acknowledged_at, assignee, snoozed_until,
    resolution, label, hidden, hidden_by, told, told_severity, told_flapping, told_at, escalation
)
SELECT
    n.group_key, n.park, n.rule, n.rule_version, n.object, n.cause, n.device, n.edge, n.severity, n.state, n.since,
    n.known_at, n.last_value, n.limit_value, n.unit, n.last_at, n.worst, n.worst_limit, n.worst_unit, n.worst_at,
    n.sequence, n.changed_at, n.fired_at, n.cleared_at, n.resolved_at, n.ended_by, n.reopened, n.is_flapping,
    n.settles_at, n.acknowledged_by, n.acknowledged_at, n.assignee, n.snoozed_until, n.resolution, n.label, n.hidden,
    n.hidden_by, n.told, n.told_severity, n.told_flapping, n.told_at, n.escalation
FROM jsonb_populate_recordset(NULL::smartpark.alert, %(rows)s) AS n
ON CONFLICT DO NOTHING
RETURNING alert_id, rule, object, since;

-- alerts_on_record --
-- Those with these keys; in a statement of its own, which sees what others have committed.
SELECT a.alert_id, a.rule, a.object, a.since
FROM smartpark.alert AS a
JOIN jsonb_populate_recordset(NULL::smartpark.alert, %(rows)s) AS n
    ON n.rule = a.rule AND n.object = a.object AND n.since = a.since
WHERE a.ended_by IS DISTINCT FROM 'correction';

-- update_alerts --
-- Only from the version that the writer had read. Of two writers the second waits here for the first, and then finds
-- no such version any more.
UPDATE smartpark.alert AS a
SET
    severity = n.severity, state = n.state, since = n.since, last_value = n.last_value, limit_value = n.limit_value,
    unit = n.unit, last_at = n.last_at, worst = n.worst, worst_limit = n.worst_limit, worst_unit = n.worst_unit,
    worst_at = n.worst_at, sequence = n.sequence, changed_at = n.changed_at, fired_at = n.fired_at,
    cleared_at = n.cleared_at, resolved_at = n.resolved_at, ended_by = n.ended_by, reopened = n.reopened,
    is_flapping = n.is_flapping, settles_at = n.settles_at, acknowledged_by = n.acknowledged_by,
    acknowledged_at = n.acknowledged_at, assignee = n.assignee, snoozed_until = n.snoozed_until,
    resolution = n.resolution, label = n.label, hidden = n.hidden, hidden_by = n.hidden_by, told = n.told,
    told_severity = n.told_severity, told_flapping = n.told_flapping, told_at = n.told_at,
    escalation = n.escalation
FROM jsonb_populate_recordset(NULL::smartpark.alert, %(rows)s) AS n
JOIN unnest(%(ids)s::bigint[], %(expected)s::integer[]) AS e (alert_id, sequence) ON e.alert_id = n.alert_id
WHERE a.alert_id = n.alert_id AND a.sequence = e.sequence
RETURNING a.alert_id;

-- alert_sequences --
SELECT alert_id, sequence FROM smartpark.alert WHERE alert_id = ANY(%(ids)s::bigint[]);

-- insert_alert_events --
INSERT INTO smartpark.alert_event (alert_id, sequence, at, recorded_at, actor, body)
SELECT given.alert_id, given.sequence, given.at, given.recorded_at, given.actor, given.body::jsonb
FROM unnest(
    %(ids)s::bigint[], %(sequences)s::integer[], %(at)s::timestamptz[], %(recorded_at)s::timestamptz[],
    %(actors)s::text[], %(bodies)s::text[]
) AS given (alert_id, sequence, at, recorded_at, actor, body);

-- forget_alerts --
DELETE FROM smartpark.alert WHERE alert_id = ANY(%(ids)s::bigint[]) AND state = 'pending' RETURNING alert_id;

-- alert_events --
SELECT alert_id, sequence, at, recorded_at, actor, body
FROM smartpark.alert_event
WHERE alert_id = ANY(%(ids)s::bigint[])
ORDER BY alert_id, sequence;

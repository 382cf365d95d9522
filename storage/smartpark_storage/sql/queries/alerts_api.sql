-- What people ask of alerts beside the lists of alerts.sql: groups, tabs, how soon people dealt with them. Everything
-- here reads; whose rows it gets is decided by the rules of the tables (migrations 0024 and 0027).

-- alert_groups --
-- Goes on with alerts_fit: groups of what fits, the worst first where that is asked, then the newest.
SELECT
    a.group_key, count(*), max(array_position(ARRAY['info', 'warning', 'critical'], a.severity)), min(a.since),
    max(a.since)
FROM smartpark.alert AS a;

-- alert_groups_end --
GROUP BY a.group_key
ORDER BY
    CASE WHEN %(worst_first)s THEN max(array_position(ARRAY['info', 'warning', 'critical'], a.severity)) END
        DESC NULLS LAST,
    max(a.since) DESC, a.group_key
LIMIT %(limit)s OFFSET %(skip)s;

-- alerts_of_groups --
-- Around alert_columns and alerts_fit: of each of some groups, so many at most.
SELECT l.* FROM unnest(%(groups)s::text[]) AS g (key) CROSS JOIN LATERAL (;

-- alerts_of_groups_end --
    AND a.group_key = g.key
ORDER BY a.since DESC, a.alert_id DESC
LIMIT %(per_group)s) AS l;

-- alert_tabs --
-- Goes on with alerts_fit: how many there are on each tab and of each severity, and since when the oldest.
SELECT
    CASE
        WHEN a.state <> 'firing' THEN a.state
        WHEN a.hidden IS NOT NULL THEN 'hidden'
        WHEN a.acknowledged_by IS NOT NULL THEN 'acknowledged'
        ELSE 'firing'
    END AS tab,
    a.severity, count(*), min(a.since)
FROM smartpark.alert AS a;

-- alert_tabs_end --
GROUP BY tab, a.severity;

-- alert_dealings --
-- Of those that fired in a span: how long until somebody took note, and how long until it was over. Means and medians
-- of what people were told of; what nobody did is not in them.
SELECT
    count(*),
    count(*) FILTER (WHERE a.hidden IS NOT NULL),
    count(a.acknowledged_at) FILTER (WHERE a.hidden IS NULL),
    (extract(epoch FROM avg(a.acknowledged_at - a.fired_at) FILTER (WHERE a.hidden IS NULL)))::float8,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.acknowledged_at - a.fired_at)::float8)
        FILTER (WHERE a.hidden IS NULL),
    count(a.resolved_at) FILTER (WHERE a.hidden IS NULL),
    (extract(epoch FROM avg(a.resolved_at - a.fired_at) FILTER (WHERE a.hidden IS NULL)))::float8,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.resolved_at - a.fired_at)::float8)
        FILTER (WHERE a.hidden IS NULL),
    count(*) FILTER (WHERE a.label = 'true_alarm'),
    count(*) FILTER (WHERE a.label = 'false_alarm')
FROM smartpark.alert AS a
WHERE a.fired_at >= %(start)s AND a.fired_at < %(end)s
    AND a.ended_by IS DISTINCT FROM 'correction'
    AND (%(park)s::text IS NULL OR a.park = %(park)s)
    AND (%(parks)s::text[] IS NULL OR a.park = ANY(%(parks)s));

-- hear_alert_changes --
LISTEN smartpark_alert;

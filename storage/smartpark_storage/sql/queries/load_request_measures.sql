-- What a desk is measured by in a period, from the rows that events keep; events are asked only for what rows do not say.

-- load_request_flows --
-- Goes on with load_request_fits.
WITH counted AS (
    SELECT
        r.applied_kva, r.channel, r.reworks, r.outcome,
        coalesce(r.approved_kva, r.applied_kva) AS agreed_kva,
        coalesce(r.accepted_at >= %(since)s AND r.accepted_at < %(until)s, false) AS is_received,
        r.opened_at < %(until)s AND (r.ended_at IS NULL OR r.ended_at >= %(until)s) AS is_open,
        coalesce(r.scheme_replied_at >= %(since)s AND r.scheme_replied_at < %(until)s, false) AS is_approved,
        coalesce(r.energized_at >= %(since)s AND r.energized_at < %(until)s, false) AS is_energized,
        coalesce(r.wanted_on >= %(start)s AND r.wanted_on < %(end)s, false)
            AND coalesce(r.outcome, '') NOT IN ('withdrawn', 'rejected') AS is_planned,
        coalesce(r.ended_at >= %(since)s AND r.ended_at < %(until)s, false) AS is_ended,
        -- A limit that covers stages is of the one it is named after; who never came there has not been judged.
        NOT EXISTS (
            SELECT FROM jsonb_to_recordset(r.stage_limits) AS k (stage text, used integer, "limit" integer)
            WHERE k.used > k.limit AND r.stage_days ? k.stage
        ) AS is_in_limit
    FROM smartpark.load_request AS r;

-- load_request_flows_end --
)
SELECT
    count(*) FILTER (WHERE is_received) AS received,
    coalesce(sum(applied_kva) FILTER (WHERE is_received), 0) AS received_kva,
    count(*) FILTER (WHERE is_open) AS open,
    coalesce(sum(applied_kva) FILTER (WHERE is_open), 0) AS open_kva,
    count(*) FILTER (WHERE is_approved) AS approved,
    coalesce(sum(agreed_kva) FILTER (WHERE is_approved), 0) AS approved_kva,
    count(*) FILTER (WHERE is_energized) AS energized,
    coalesce(sum(agreed_kva) FILTER (WHERE is_energized), 0) AS energized_kva,
    count(*) FILTER (WHERE is_planned) AS planned,
    coalesce(sum(applied_kva) FILTER (WHERE is_planned), 0) AS planned_kva,
    count(*) FILTER (WHERE is_ended AND outcome = 'archived') AS archived,
    count(*) FILTER (WHERE is_ended AND outcome = 'withdrawn') AS withdrawn,
    count(*) FILTER (WHERE is_ended AND outcome = 'rejected') AS rejected,
    count(*) FILTER (WHERE is_ended AND outcome = 'archived' AND is_in_limit) AS in_limit,
    count(*) FILTER (WHERE is_received AND channel = 'green') AS green,
    count(*) FILTER (WHERE is_received AND reworks > 0) AS reworked,
    coalesce(sum(reworks) FILTER (WHERE is_received), 0) AS reworks
FROM counted;

-- load_request_leads --
-- Goes on with load_request_fits and load_request_leads_end.
SELECT
    r.source, count(*), sum(r.applied_kva), count(r.accepted_at),
    coalesce(sum(r.applied_kva) FILTER (WHERE r.accepted_at IS NOT NULL), 0)
FROM smartpark.load_request AS r;

-- load_request_leads_end --
AND r.source <> 'application' AND r.opened_at >= %(since)s AND r.opened_at < %(until)s
GROUP BY r.source;

-- load_request_finished --
-- One line a request: from when to when, and the days of each until it was energized, which archiving comes after.
-- Goes on with load_request_fits and load_request_finished_end.
SELECT
    extract(epoch FROM coalesce(r.accepted_at, r.opened_at) AT TIME ZONE %(zone)s)::float8, extract(epoch FROM r.energized_at AT TIME ZONE %(zone)s)::float8,
    d.utility, d.customer, d.government
FROM smartpark.load_request AS r
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum((s.owners ->> 'utility')::integer), 0)::integer AS utility,
        coalesce(sum((s.owners ->> 'customer')::integer), 0)::integer AS customer,
        coalesce(sum((s.owners ->> 'government')::integer), 0)::integer AS government
    FROM jsonb_each(r.stage_days) AS s (stage, owners)
    WHERE s.stage <> 'archiving'
) AS d;

-- load_request_finished_end --
AND r.energized_at >= %(since)s AND r.energized_at < %(until)s;

-- load_request_answered --
-- When somebody of the utility first did something: opening, assigning, filing and what was undone are no answer, nor
-- is what made an application of a lead. Goes on with load_request_fits and load_request_answered_end.
WITH undone AS MATERIALIZED (
    SELECT u.code, (u.body ->> 'sequence')::integer AS sequence
    FROM smartpark.load_request_event AS u
    WHERE u.type = 'undone'
)
SELECT extract(epoch FROM r.accepted_at AT TIME ZONE %(zone)s)::float8, extract(epoch FROM a.at AT TIME ZONE %(zone)s)::float8
FROM smartpark.load_request AS r
LEFT JOIN LATERAL (
    SELECT e.at
    FROM smartpark.load_request_event AS e
    WHERE e.code = r.code
        AND e.at > r.accepted_at
        AND e.by NOT IN ('system', 'applicant')
        AND e.type NOT IN ('opened', 'assigned', 'attached', 'amended', 'undone')
        AND (e.code, e.sequence) NOT IN (SELECT u.code, u.sequence FROM undone AS u)
    ORDER BY e.sequence
    LIMIT 1
) AS a ON true;

-- load_request_answered_end --
AND r.accepted_at >= %(since)s AND r.accepted_at < %(until)s;

-- load_request_stages_left --
-- Requests by the days they had spent in a stage when they left it for the last time, and whether its limit was kept.
-- Goes on with load_request_fits and load_request_stages_left_end.
WITH fitting AS MATERIALIZED (
    SELECT
        r.code, r.stage, r.outcome, r.accepted_at, r.stage_days, r.stage_limits, r.stage_rule, r.stage_due_on,
        r.opened_at >= %(since)s AND r.changed_at < %(until)s AS is_inside
    FROM smartpark.load_request AS r;

-- load_request_stages_left_end --
        AND r.opened_at < %(until)s AND (r.ended_at IS NULL OR r.ended_at >= %(since)s)
),
-- Only of those that reach over an end of the period must events say when they left a stage.
entered AS (
    SELECT
        e.code,
        CASE
            WHEN e.type IN ('moved', 'sent_back') THEN e.body ->> 'to'
            WHEN e.type = 'opened' AND e.at = f.accepted_at THEN 'acceptance'
        END AS stage,
        lead(e.at) OVER (PARTITION BY e.code ORDER BY e.sequence) AS left_at
    FROM fitting AS f
    JOIN smartpark.load_request_event AS e ON e.code = f.code
    WHERE NOT f.is_inside
        AND e.type IN ('opened', 'moved', 'sent_back', 'withdrawn', 'rejected')
        AND (e.code, e.sequence) NOT IN (
            SELECT u.code, (u.body ->> 'sequence')::integer
            FROM smartpark.load_request_event AS u
            WHERE u.type = 'undone'
        )
),
-- It has left a stage when it is not in it any more: its newest turn there has an end.
departed AS (
    SELECT e.code, e.stage
    FROM entered AS e
    WHERE e.stage IS NOT NULL
    GROUP BY e.code, e.stage
    HAVING count(*) = count(e.left_at) AND max(e.left_at) >= %(since)s AND max(e.left_at) < %(until)s
),
spent AS (
    SELECT f.*, d.stage AS left_stage, d.owners
    FROM fitting AS f
    CROSS JOIN LATERAL jsonb_each(f.stage_days) AS d (stage, owners)
    WHERE f.is_inside AND (f.outcome IS NOT NULL OR d.stage <> f.stage)
    UNION ALL
    SELECT f.*, d.stage, f.stage_days -> d.stage
    FROM departed AS d
    JOIN fitting AS f ON f.code = d.code AND f.stage_days ? d.stage
)
SELECT
    s.left_stage,
    (s.owners ->> 'utility')::integer,
    (s.owners ->> 'customer')::integer,
    (s.owners ->> 'government')::integer,
    -- Sent back within what the limit covers, its clock goes on, and its due day tells of days after the newest event.
    (k.use ->> 'used')::integer > (k.use ->> 'limit')::integer
        OR coalesce(s.stage_rule = k.use ->> 'rule' AND s.stage_due_on < %(today)s, false) AS is_overdue,
    count(*)
FROM spent AS s
LEFT JOIN LATERAL jsonb_array_elements(s.stage_limits) AS k (use) ON k.use ->> 'stage' = s.left_stage
GROUP BY 1, 2, 3, 4, 5;

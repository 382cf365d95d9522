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
SELECT extract(epoch FROM r.accepted_at AT TIME ZONE %(zone)s)::float8, extract(epoch FROM a.at AT TIME ZONE %(zone)s)::float8
FROM smartpark.load_request AS r
LEFT JOIN LATERAL (
    SELECT e.at
    FROM smartpark.load_request_event AS e
    WHERE e.code = r.code
        AND e.at > r.accepted_at
        AND e.by NOT IN ('system', 'applicant')
        AND e.type NOT IN ('opened', 'assigned', 'attached', 'amended', 'undone')
        AND NOT EXISTS (
            SELECT FROM smartpark.load_request_event AS u
            WHERE u.code = e.code AND u.sequence > e.sequence AND u.type = 'undone'
                AND (u.body ->> 'sequence')::integer = e.sequence
        )
    ORDER BY e.sequence
    LIMIT 1
) AS a ON true;

-- load_request_answered_end --
AND r.accepted_at >= %(since)s AND r.accepted_at < %(until)s;

-- load_request_stages_left --
-- Requests by the days they had spent in a stage when they left it for the last time, and whether its limit was kept.
-- Goes on with load_request_fits and load_request_stages_left_end.
WITH fitting AS MATERIALIZED (
    SELECT r.code, r.stage_days, r.stage_limits, r.stage_rule, r.stage_due_on
    FROM smartpark.load_request AS r;

-- load_request_stages_left_end --
        AND r.opened_at < %(until)s AND (r.ended_at IS NULL OR r.ended_at >= %(since)s)
),
undone AS MATERIALIZED (
    SELECT u.code, (u.body ->> 'sequence')::integer AS sequence
    FROM smartpark.load_request_event AS u
    WHERE u.type = 'undone'
),
entered AS (
    SELECT
        e.code,
        CASE
            WHEN e.type IN ('moved', 'sent_back') THEN e.body ->> 'to'
            WHEN e.type = 'opened' AND NOT coalesce((e.body ->> 'is_lead')::boolean, false) THEN 'acceptance'
        END AS stage,
        e.sequence,
        lead(e.at) OVER (PARTITION BY e.code ORDER BY e.sequence) AS left_at
    FROM smartpark.load_request_event AS e
    WHERE e.type IN ('opened', 'moved', 'sent_back', 'withdrawn', 'rejected')
        AND e.code IN (SELECT f.code FROM fitting AS f)
        AND (e.code, e.sequence) NOT IN (SELECT u.code, u.sequence FROM undone AS u)
),
-- It has left a stage when it is not in it any more: its newest turn there has an end.
departed AS (
    SELECT code, stage
    FROM entered
    WHERE stage IS NOT NULL
    GROUP BY code, stage
    HAVING count(*) = count(left_at) AND max(left_at) >= %(since)s AND max(left_at) < %(until)s
)
SELECT
    d.stage,
    (f.stage_days -> d.stage ->> 'utility')::integer,
    (f.stage_days -> d.stage ->> 'customer')::integer,
    (f.stage_days -> d.stage ->> 'government')::integer,
    -- Sent back within what the limit covers, its clock goes on, and its due day tells of days after the newest event.
    k.used > k.limit OR coalesce(f.stage_rule = k.rule AND f.stage_due_on < %(today)s, false) AS is_overdue,
    count(*)
FROM departed AS d
JOIN fitting AS f ON f.code = d.code AND f.stage_days ? d.stage
LEFT JOIN LATERAL (
    SELECT l.rule, l.used, l.limit
    FROM jsonb_to_recordset(f.stage_limits) AS l (stage text, rule text, used integer, "limit" integer)
    WHERE l.stage = d.stage
    LIMIT 1
) AS k ON true
GROUP BY 1, 2, 3, 4, 5;

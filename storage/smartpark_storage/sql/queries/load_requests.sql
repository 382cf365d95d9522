-- Load requests: their events, the row that says where each stands, and lists of those rows.

-- next_load_request_number --
INSERT INTO smartpark.load_request_number AS n (year, newest) VALUES (%(year)s, 1)
ON CONFLICT (year) DO UPDATE SET newest = n.newest + 1
RETURNING newest;

-- insert_load_request --
INSERT INTO smartpark.load_request (
    code, park, applicant, enterprise, customer_no, kind, applied_kva, existing_kva, voltage, supply, user_kind,
    importance, channel, source, probability, wanted_on, node, coincidence, stage, owner, suspended, outcome, manager,
    approved_kva, scheme_node, scheme_replied_at, scheme_is_extended, reserved_kva, reworks, opened_at, accepted_at,
    stage_since, changed_at, energized_at, ended_at, stage_used, stage_limit, stage_due_on, stage_risk_from, stage_rule,
    stage_runs, total_used, total_limit, total_due_on, total_risk_from, total_rule, total_runs, stage_days,
    stage_limits, clocks_on, version
) VALUES (
    %(code)s, %(park)s, %(applicant)s, %(enterprise)s, %(customer_no)s, %(kind)s, %(applied_kva)s, %(existing_kva)s,
    %(voltage)s, %(supply)s, %(user_kind)s, %(importance)s, %(channel)s, %(source)s, %(probability)s, %(wanted_on)s,
    %(node)s, %(coincidence)s, %(stage)s, %(owner)s, %(suspended)s, %(outcome)s, %(manager)s, %(approved_kva)s,
    %(scheme_node)s, %(scheme_replied_at)s, %(scheme_is_extended)s, %(reserved_kva)s, %(reworks)s, %(opened_at)s,
    %(accepted_at)s, %(stage_since)s, %(changed_at)s, %(energized_at)s, %(ended_at)s, %(stage_used)s, %(stage_limit)s,
    %(stage_due_on)s, %(stage_risk_from)s, %(stage_rule)s, %(stage_runs)s, %(total_used)s, %(total_limit)s,
    %(total_due_on)s, %(total_risk_from)s, %(total_rule)s, %(total_runs)s, %(stage_days)s, %(stage_limits)s,
    %(clocks_on)s, %(version)s
);

-- update_load_request --
-- Only from the version that the writer had read. Of two writers the second waits here for the first, and then
-- finds no such version any more.
UPDATE smartpark.load_request
SET
    applicant = %(applicant)s, enterprise = %(enterprise)s, customer_no = %(customer_no)s, kind = %(kind)s,
    applied_kva = %(applied_kva)s, existing_kva = %(existing_kva)s, voltage = %(voltage)s, supply = %(supply)s,
    user_kind = %(user_kind)s, importance = %(importance)s, channel = %(channel)s, source = %(source)s,
    probability = %(probability)s, wanted_on = %(wanted_on)s, node = %(node)s, coincidence = %(coincidence)s,
    stage = %(stage)s, owner = %(owner)s, suspended = %(suspended)s, outcome = %(outcome)s, manager = %(manager)s,
    approved_kva = %(approved_kva)s, scheme_node = %(scheme_node)s, scheme_replied_at = %(scheme_replied_at)s,
    scheme_is_extended = %(scheme_is_extended)s, reserved_kva = %(reserved_kva)s, reworks = %(reworks)s,
    accepted_at = %(accepted_at)s, stage_since = %(stage_since)s, changed_at = %(changed_at)s,
    energized_at = %(energized_at)s, ended_at = %(ended_at)s, stage_used = %(stage_used)s,
    stage_limit = %(stage_limit)s, stage_due_on = %(stage_due_on)s, stage_risk_from = %(stage_risk_from)s,
    stage_rule = %(stage_rule)s, stage_runs = %(stage_runs)s, total_used = %(total_used)s,
    total_limit = %(total_limit)s, total_due_on = %(total_due_on)s, total_risk_from = %(total_risk_from)s,
    total_rule = %(total_rule)s, total_runs = %(total_runs)s, stage_days = %(stage_days)s,
    stage_limits = %(stage_limits)s, clocks_on = %(clocks_on)s, version = %(version)s
WHERE code = %(code)s AND version = %(expected)s;

-- insert_load_request_event --
INSERT INTO smartpark.load_request_event (code, sequence, at, recorded_at, by, body)
VALUES (%(code)s, %(sequence)s, %(at)s, %(recorded_at)s, %(by)s, %(body)s);

-- fill_outbox --
-- A line for everyone who wants to be told of this kind of event in this park.
INSERT INTO smartpark.outbox (webhook, code, sequence, next_at)
SELECT w.name, %(code)s, %(sequence)s, %(recorded_at)s
FROM smartpark.webhook AS w
WHERE w.is_active
    AND (w.park IS NULL OR w.park = %(park)s)
    AND (w.events = '{}' OR %(type)s = ANY(w.events));

-- load_request_version --
SELECT version FROM smartpark.load_request WHERE code = %(code)s;

-- lock_load_request --
SELECT version FROM smartpark.load_request WHERE code = %(code)s FOR UPDATE;

-- load_request_events --
SELECT code, sequence, at, recorded_at, by, body
FROM smartpark.load_request_event
WHERE code = ANY(%(codes)s)
ORDER BY code, sequence;

-- load_request_row --
SELECT
    code, park, applicant, enterprise, customer_no, kind, applied_kva, existing_kva, voltage, supply, user_kind,
    importance, channel, source, probability, wanted_on, node, coincidence, stage, owner, suspended, outcome, manager,
    approved_kva, scheme_node, scheme_replied_at, scheme_is_extended, reserved_kva, reworks, opened_at, accepted_at,
    stage_since, changed_at, energized_at, ended_at, stage_used, stage_limit, stage_due_on, stage_risk_from, stage_rule,
    stage_runs, total_used, total_limit, total_due_on, total_risk_from, total_rule, total_runs, stage_days,
    stage_limits, clocks_on, version
FROM smartpark.load_request
WHERE code = %(code)s;

-- load_request_fits --
-- What every list and total asks of a row: a piece of a statement, which ends the ones below that have no WHERE.
WHERE (%(park)s::text IS NULL OR r.park = %(park)s)
    AND (%(parks)s::text[] IS NULL OR r.park = ANY(%(parks)s))
    AND (%(stage)s::text IS NULL OR r.stage = %(stage)s)
    AND (%(manager)s::text IS NULL OR r.manager = %(manager)s)
    AND (%(channel)s::text IS NULL OR r.channel = %(channel)s)
    AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
    AND (%(voltage)s::text IS NULL OR r.voltage = %(voltage)s)
    AND (%(source)s::text IS NULL OR r.source = %(source)s)
    AND (%(importance)s::text IS NULL OR r.importance = %(importance)s)
    AND (%(owner)s::text IS NULL OR r.owner = %(owner)s)
    AND (%(outcome)s::text IS NULL OR r.outcome = %(outcome)s)
    AND (%(is_open)s::boolean IS NULL OR (%(is_open)s AND r.outcome IS NULL) OR (NOT %(is_open)s AND r.outcome IS NOT NULL))
    AND (%(is_suspended)s::boolean IS NULL OR (r.suspended IS NOT NULL) = %(is_suspended)s)
    AND (%(node)s::text IS NULL OR coalesce(r.scheme_node, r.node) = %(node)s)
    AND (%(wanted_from)s::date IS NULL OR r.wanted_on >= %(wanted_from)s)
    AND (%(wanted_before)s::date IS NULL OR r.wanted_on < %(wanted_before)s)
    AND (%(opened_from)s::timestamptz IS NULL OR r.opened_at >= %(opened_from)s)
    AND (%(opened_before)s::timestamptz IS NULL OR r.opened_at < %(opened_before)s)
    AND (%(energized_from)s::timestamptz IS NULL OR r.energized_at >= %(energized_from)s)
    AND (%(energized_before)s::timestamptz IS NULL OR r.energized_at < %(energized_before)s)
    AND (%(ended_from)s::timestamptz IS NULL OR r.ended_at >= %(ended_from)s)
    AND (%(ended_before)s::timestamptz IS NULL OR r.ended_at < %(ended_before)s)
    AND (%(text)s::text IS NULL OR strpos(r.searched, lower(%(text)s)) > 0)
    AND (%(standing)s::text IS NULL OR smartpark.standing(
        r.outcome IS NOT NULL, r.stage_limit, r.stage_runs, r.stage_used, r.stage_due_on, r.stage_risk_from, %(today)s
    ) = %(standing)s)
    AND (%(total_standing)s::text IS NULL OR smartpark.standing(
        r.outcome IS NOT NULL, r.total_limit, r.total_runs, r.total_used, r.total_due_on, r.total_risk_from, %(today)s
    ) = %(total_standing)s);

-- load_request_rows --
-- Goes on with load_request_fits, and then with one of the orders below.
SELECT
    r.code, r.park, r.applicant, r.enterprise, r.customer_no, r.kind, r.applied_kva, r.existing_kva, r.voltage,
    r.supply, r.user_kind, r.importance, r.channel, r.source, r.probability, r.wanted_on, r.node, r.coincidence,
    r.stage, r.owner, r.suspended, r.outcome, r.manager, r.approved_kva, r.scheme_node, r.scheme_replied_at,
    r.scheme_is_extended, r.reserved_kva, r.reworks, r.opened_at, r.accepted_at, r.stage_since, r.changed_at,
    r.energized_at, r.ended_at, r.stage_used, r.stage_limit, r.stage_due_on, r.stage_risk_from, r.stage_rule,
    r.stage_runs, r.total_used, r.total_limit, r.total_due_on, r.total_risk_from, r.total_rule, r.total_runs,
    r.stage_days, r.stage_limits, r.clocks_on, r.version
FROM smartpark.load_request AS r;

-- load_requests_by_due --
-- After a row: what comes behind it in this order as it stands now.
AND (%(after)s::text IS NULL OR (coalesce(r.stage_due_on, 'infinity'), r.code) > (
    SELECT coalesce(a.stage_due_on, 'infinity'), a.code FROM smartpark.load_request AS a WHERE a.code = %(after)s
))
ORDER BY r.stage_due_on NULLS LAST, r.code
LIMIT %(limit)s;

-- load_requests_by_changed --
AND (%(after)s::text IS NULL OR (
    r.changed_at <= (SELECT a.changed_at FROM smartpark.load_request AS a WHERE a.code = %(after)s)
    AND (
        r.changed_at < (SELECT a.changed_at FROM smartpark.load_request AS a WHERE a.code = %(after)s)
        OR r.code > %(after)s
    )
))
ORDER BY r.changed_at DESC, r.code
LIMIT %(limit)s;

-- load_requests_by_opened --
AND (%(after)s::text IS NULL OR (
    r.opened_at <= (SELECT a.opened_at FROM smartpark.load_request AS a WHERE a.code = %(after)s)
    AND (
        r.opened_at < (SELECT a.opened_at FROM smartpark.load_request AS a WHERE a.code = %(after)s)
        OR r.code > %(after)s
    )
))
ORDER BY r.opened_at DESC, r.code
LIMIT %(limit)s;

-- load_requests_by_capacity --
AND (%(after)s::text IS NULL OR (
    r.applied_kva <= (SELECT a.applied_kva FROM smartpark.load_request AS a WHERE a.code = %(after)s)
    AND (
        r.applied_kva < (SELECT a.applied_kva FROM smartpark.load_request AS a WHERE a.code = %(after)s)
        OR r.code > %(after)s
    )
))
ORDER BY r.applied_kva DESC, r.code
LIMIT %(limit)s;

-- load_requests_by_wanted --
AND (%(after)s::text IS NULL OR (coalesce(r.wanted_on, 'infinity'), r.code) > (
    SELECT coalesce(a.wanted_on, 'infinity'), a.code FROM smartpark.load_request AS a WHERE a.code = %(after)s
))
ORDER BY r.wanted_on NULLS LAST, r.code
LIMIT %(limit)s;

-- load_requests_by_code --
AND (%(after)s::text IS NULL OR r.code > %(after)s)
ORDER BY r.code
LIMIT %(limit)s;

-- load_request_totals --
-- Open ones by stage. Goes on with load_request_fits and load_requests_by_stage.
SELECT
    r.stage, count(*), sum(r.applied_kva),
    count(*) FILTER (WHERE s.standing = 'overdue'),
    count(*) FILTER (WHERE s.standing = 'due'),
    count(*) FILTER (WHERE s.standing = 'at_risk'),
    count(*) FILTER (WHERE r.owner <> 'utility' AND r.suspended IS NULL),
    count(*) FILTER (WHERE r.suspended IS NOT NULL)
FROM smartpark.load_request AS r
CROSS JOIN LATERAL (
    SELECT smartpark.standing(
        false, r.stage_limit, r.stage_runs, r.stage_used, r.stage_due_on, r.stage_risk_from, %(today)s
    ) AS standing
) AS s;

-- load_requests_by_stage --
AND r.outcome IS NULL
GROUP BY r.stage;

-- refresh_load_request_clocks --
-- No event, hence no new version; and only while it still has the version that the clocks were computed from.
UPDATE smartpark.load_request
SET
    stage_used = %(stage_used)s, stage_limit = %(stage_limit)s, stage_due_on = %(stage_due_on)s,
    stage_risk_from = %(stage_risk_from)s, stage_rule = %(stage_rule)s, stage_runs = %(stage_runs)s,
    total_used = %(total_used)s, total_limit = %(total_limit)s, total_due_on = %(total_due_on)s,
    total_risk_from = %(total_risk_from)s, total_rule = %(total_rule)s, total_runs = %(total_runs)s,
    stage_days = %(stage_days)s, stage_limits = %(stage_limits)s, clocks_on = %(clocks_on)s
WHERE code = %(code)s AND version = %(version)s;

-- open_load_request_codes --
SELECT code FROM smartpark.load_request WHERE outcome IS NULL AND code > %(after)s ORDER BY code LIMIT %(limit)s;

-- reserved_load_requests --
SELECT code, coalesce(scheme_node, node), reserved_kva, coincidence
FROM smartpark.load_request
WHERE park = %(park)s AND reserved_kva > 0
ORDER BY code;

-- load_request_board --
-- The first of each stage, from the index of the open ones. Goes on with load_request_fits and load_request_board_end.
SELECT card.*
FROM unnest(%(stages)s::text[]) WITH ORDINALITY AS wanted (stage, place)
CROSS JOIN LATERAL (
    SELECT
        r.code, r.park, r.applicant, r.enterprise, r.customer_no, r.kind, r.applied_kva, r.existing_kva, r.voltage,
        r.supply, r.user_kind, r.importance, r.channel, r.source, r.probability, r.wanted_on, r.node, r.coincidence,
        r.stage, r.owner, r.suspended, r.outcome, r.manager, r.approved_kva, r.scheme_node, r.scheme_replied_at,
        r.scheme_is_extended, r.reserved_kva, r.reworks, r.opened_at, r.accepted_at, r.stage_since, r.changed_at,
        r.energized_at, r.ended_at, r.stage_used, r.stage_limit, r.stage_due_on, r.stage_risk_from, r.stage_rule,
        r.stage_runs, r.total_used, r.total_limit, r.total_due_on, r.total_risk_from, r.total_rule, r.total_runs,
        r.stage_days, r.stage_limits, r.clocks_on, r.version
    FROM smartpark.load_request AS r;

-- load_request_board_end --
        AND r.stage = wanted.stage AND r.outcome IS NULL
    ORDER BY r.stage_due_on NULLS LAST, r.code
    LIMIT %(limit)s
) AS card
ORDER BY wanted.place, card.stage_due_on NULLS LAST, card.code;

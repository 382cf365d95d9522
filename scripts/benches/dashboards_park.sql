-- What a park's readings come to, and what happened there, over the year up to now: made up, in the numbers in which
-- a park of so many points has it. %(p)s is its code, %(number)s a number of its own. Written as the owner of the
-- database, with triggers and foreign keys off.

INSERT INTO smartpark.latest (point_id, time, scaled, status, received_at)
SELECT point_id, t, 1000, CASE WHEN point_id %% 50 = 0 THEN -2147483648 ELSE 0 END, t + INTERVAL '2 seconds'
FROM smartpark.point, LATERAL (
    SELECT %(now)s::timestamptz
        - CASE point_id %% 40 WHEN 39 THEN INTERVAL '1 hour' WHEN 38 THEN INTERVAL '10 minutes' ELSE INTERVAL '10 seconds' END
) AS moment (t)
WHERE park = %(p)s;

-- Quarter-hours of every register, day after day as derive writes them; a few are not known, a few have findings.
INSERT INTO smartpark.interval_energy (point_id, start, amount, completeness, estimated_share, flags)
SELECT
    point_id, t, CASE WHEN NOT is_gap THEN 20 + point_id %% 17 END, CASE WHEN is_gap THEN 0 ELSE 1 END, 0,
    CASE WHEN is_gap THEN 1 WHEN extract(epoch FROM t)::bigint / 900 %% 199 = point_id %% 199 THEN 16 ELSE 0 END
FROM smartpark.point, generate_series(
    date_trunc('day', %(now)s::timestamptz) - make_interval(days => %(days)s),
    date_trunc('hour', %(now)s::timestamptz) - INTERVAL '15 minutes', INTERVAL '15 minutes'
) AS t, LATERAL (SELECT extract(epoch FROM t)::bigint / 3600 %% 97 = point_id %% 97) AS gap (is_gap)
WHERE park = %(p)s AND kind = 'counter'
ORDER BY t, point_id;

INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)
VALUES (md5('bench')::uuid, 'kWh', 'method/1', '2026', '{bench-factor}', ''),
    (md5('kept')::uuid, 'mg/m3', 'method/1', '2026', '{}', 'reference oxygen 9 %%; limit 50 mg/m3 kept'),
    (md5('exceeded')::uuid, 'mg/m3', 'method/1', '2026', '{}', 'reference oxygen 9 %%; limit 50 mg/m3 exceeded')
ON CONFLICT DO NOTHING;

INSERT INTO smartpark.factor (id, kind, carrier, scope, value, unit, as_stated, valid_from, historical, source, grade,
    origin, loaded_by) VALUES ('bench-factor', 'emission_factor', 'electricity', 'provincial:FJ', 0.5, 't/MWh', '0.5',
    '2020-01-01', false, 'made up', 'M01', 'bench', 'bench') ON CONFLICT DO NOTHING;

-- Hours of all amounts, days, months and years of all numbers, of the park; of enterprises ten amounts; of stacks,
-- stations, feeding meters and transformers theirs.
INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)
SELECT %(p)s, 'park', i, g
FROM unnest(%(indicators)s::text[]) AS i, unnest(ARRAY['hour', 'day', 'month', 'year']) AS g
WHERE g <> 'hour' OR i = ANY (%(sums)s::text[])
UNION ALL
SELECT %(p)s, 'enterprise/' || e.code, i, g
FROM smartpark.enterprise AS e, unnest(ARRAY[
    'electricity_consumption', 'electricity_purchased', 'comprehensive_energy', 'comprehensive_energy_primary',
    'energy_under_control', 'carbon_location', 'carbon_scope1', 'carbon_scope2', 'carbon_location_national',
    'carbon_per_energy'
]) AS i, unnest(ARRAY['hour', 'day', 'month']) AS g
WHERE e.park = %(p)s
UNION ALL
SELECT %(p)s, 'device/' || d.code, i, g
FROM smartpark.device AS d
CROSS JOIN LATERAL unnest(CASE
    WHEN d.kind = 'stack' THEN ARRAY[
        'so2_corrected', 'nox_corrected', 'dust_corrected', 'so2_in_limit', 'nox_in_limit', 'dust_in_limit', 'so2_mass',
        'nox_mass', 'dust_mass'
    ]
    WHEN d.kind = 'station' THEN ARRAY['air_quality_index']
    WHEN d.role IN ('boundary', 'distribution') THEN ARRAY['balance_residual']
    ELSE '{}' END) AS i
CROSS JOIN unnest(ARRAY['hour', 'day', 'month']) AS g
-- Of stacks, concentrations are those of hours, which say in words whether the limit was kept; shares are those of days.
WHERE d.park = %(p)s
  AND CASE WHEN i LIKE '%%_corrected' THEN g = 'hour' WHEN i LIKE '%%_in_limit' THEN g <> 'hour' ELSE true END
UNION ALL
SELECT %(p)s, 'device/' || d.code, i, g
FROM smartpark.device AS d,
    unnest(ARRAY['voltage_in_limits', 'frequency_in_limits', 'voltage_thd_in_limits', 'maximum_demand']) AS i,
    unnest(ARRAY['day', 'month']) AS g
WHERE d.park = %(p)s AND d.carrier = 'electricity'
UNION ALL
SELECT %(p)s, 'transformer/' || t.code, i, g
FROM smartpark.transformer AS t,
    unnest(ARRAY['transformer_load_rate', 'transformer_heavy_hours', 'transformer_overload_hours']) AS i,
    unnest(ARRAY['day', 'month']) AS g
WHERE t.park = %(p)s;

-- A period after the other, as they are published. Two hours in a hundred are thin, one number in fifty is not known.
INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, numerator, denominator,
    completeness, estimated_share, computed_at, publication_id)
SELECT s.series_id, o.origin_id, p.start, 1, v.value, v.value * 24, 24, CASE WHEN n %% 50 = 7 THEN 0.2 ELSE 1 END, 0,
    p.start + INTERVAL '1 hour', 1
FROM unnest(ARRAY['hour', 'day', 'month', 'year']) AS g
CROSS JOIN LATERAL generate_series(0, CASE g
    WHEN 'hour' THEN 24 * %(days)s WHEN 'day' THEN %(days)s WHEN 'month' THEN 13 ELSE 3 END) AS n
CROSS JOIN LATERAL (
    SELECT CASE g
        WHEN 'hour' THEN date_trunc('hour', %(now)s::timestamptz) - n * INTERVAL '1 hour'
        ELSE (date_trunc(g, %(now)s::timestamptz AT TIME ZONE 'Asia/Shanghai') - n * ('1 ' || g)::interval)
            AT TIME ZONE 'Asia/Shanghai'
        END AS start
) AS p
JOIN smartpark.indicator_series AS s ON s.grain = g AND s.park = %(p)s
JOIN smartpark.indicator_origin AS o ON o.digest = md5(CASE
    WHEN s.indicator NOT LIKE '%%_corrected' THEN 'bench' WHEN (n + s.series_id) %% 20 > 0 THEN 'kept' ELSE 'exceeded'
    END)::uuid
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN (n + s.series_id) %% 50 = 49 THEN NULL
        WHEN s.indicator LIKE '%%_in_limit' OR s.indicator LIKE '%%_in_limits' THEN ((n + s.series_id) %% 20 > 0)::integer
        ELSE 1000 + s.series_id %% 97 + n %% 24
        END::float8 AS value
) AS v
ORDER BY p.start, s.series_id;

-- An hour in ten of the last ninety days was corrected once.
INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, completeness, estimated_share,
    computed_at, superseded_at, publication_id)
SELECT v.series_id, v.origin_id, v.start, 0, 1, 0.9, 0, v.start + INTERVAL '10 minutes', v.start + INTERVAL '1 hour', 1
FROM smartpark.indicator_value AS v
JOIN smartpark.indicator_series AS s USING (series_id)
WHERE s.park = %(p)s AND s.boundary = 'park' AND s.grain = 'hour' AND v.start > %(now)s::timestamptz - INTERVAL '90 days'
  AND extract(epoch FROM v.start)::bigint / 3600 %% 10 = 0;

INSERT INTO smartpark.business_figure (park, entity, kind, product, price_basis, grain, first_day, revision, value,
    unit, is_estimated, source_document, entered_by, note, recorded_at)
SELECT %(p)s, 'park', k, '', '', 'year',
    date_trunc('year', (%(now)s::timestamptz AT TIME ZONE 'Asia/Shanghai') - y * INTERVAL '1 year')::date, 1, 3650, 't',
    false, 'd', 'bench', '', %(now)s
FROM unnest(ARRAY['carbon_budget_t', 'energy_budget_tce']) AS k, generate_series(0, 2) AS y;

INSERT INTO smartpark.edge (code)
SELECT %(p)s || '-edge-' || n FROM generate_series(1, 1 + %(points)s / 100) AS n;
INSERT INTO smartpark.edge_state (edge_id, online, status)
SELECT edge_id, edge_id %% 9 > 0, jsonb_build_object(
    'spool_readings', 3, 'spool_bytes', 50, 'spool_limit_bytes', 100, 'dropped', 0,
    'oldest_pending', extract(epoch FROM %(now)s::timestamptz) * 1e6
)
FROM smartpark.edge WHERE code LIKE %(p)s || '-edge-%%';

-- Messages set aside: sixty a day, one a minute of the last hours.
INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, received_at)
SELECT %(p)s || '-edge-1', 't', (ARRAY['unknown_point', 'not_a_number', 'bad_time'])[1 + n %% 3], 'd', '',
    %(now)s::timestamptz - n * INTERVAL '24 minutes'
FROM generate_series(1, 60 * %(days)s) AS n;
INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, received_at)
SELECT %(p)s || '-edge-1', 't', 'unknown_point', 'd', '', %(now)s::timestamptz - n * INTERVAL '1 minute'
FROM generate_series(0, 180) AS n;

INSERT INTO smartpark.catalogue_version (park, digest, source, loaded_by, loaded_at, document)
SELECT %(p)s, 'd' || n, 'park.toml', 'bench', %(now)s::timestamptz - n * INTERVAL '9 days', '{}'
FROM generate_series(0, 30) AS n;

WITH made AS (
    INSERT INTO smartpark.publication (kind, park) SELECT 'seal', %(p)s FROM generate_series(1, 12)
    RETURNING publication_id
), month AS (
    SELECT publication_id, date_trunc('month', %(now)s::timestamptz AT TIME ZONE 'Asia/Shanghai')
        - row_number() OVER (ORDER BY publication_id) * INTERVAL '1 month' AS first
    FROM made
)
INSERT INTO smartpark.submission (code, park, grain, start, sequence, rows, digest, manifest, signature, key_id,
    sealed_by, sealed_at, note, publication_id)
SELECT %(p)s || '/' || to_char(first, 'YYYY-MM') || '/1', %(p)s, 'month', first AT TIME ZONE 'Asia/Shanghai', 1, 98,
    decode(repeat('00', 32), 'hex'), 'm', decode(repeat('00', 64), 'hex'), 'k', 'bench',
    first AT TIME ZONE 'Asia/Shanghai' + INTERVAL '36 days', '', publication_id
FROM month;

-- Load requests: one a day and a thousand points at least, a third of them open.
INSERT INTO smartpark.load_request (code, park, applicant, kind, applied_kva, existing_kva, voltage, supply, user_kind,
    importance, channel, source, probability, wanted_on, node, stage, owner, suspended, scheme_is_extended, reserved_kva,
    reworks, opened_at, accepted_at, stage_since, changed_at, energized_at, ended_at, outcome, stage_used, stage_limit,
    stage_due_on, stage_runs, total_used, total_limit, total_runs, stage_days, stage_limits, clocks_on, version)
SELECT 'LR-2026-' || lpad((%(number)s * 100000 + n)::text, 6, '0'), %(p)s, '申请单位' || n, 'new_supply', 100 + n %% 900,
    0, '10kv', 'single', 'ordinary', 'ordinary', 'normal', 'application', 0.5,
    (%(now)s::timestamptz + (n %% 300) * INTERVAL '1 day')::date, CASE WHEN n %% 7 > 0 THEN 'TR' || 1 + n %% 10 END,
    CASE WHEN is_over THEN 'archiving' ELSE (ARRAY[
        'lead', 'acceptance', 'survey', 'access_study', 'scheme_reply', 'design_review', 'construction',
        'mid_inspection', 'completion_inspection', 'contract', 'energization'
    ])[1 + n %% 11] END,
    (ARRAY['utility', 'customer', 'government'])[1 + n %% 3], NULL, false, 50, 0, opened, opened + INTERVAL '3 days',
    opened + INTERVAL '10 days', opened + INTERVAL '40 days',
    CASE WHEN is_over THEN opened + INTERVAL '40 days' END, CASE WHEN is_over THEN opened + INTERVAL '41 days' END,
    CASE WHEN is_over THEN 'archived' END, 4, 5, %(now)s::timestamptz::date + n %% 30 - 9, NOT is_over, 20, 15 + n %% 20,
    false, jsonb_build_object('survey', jsonb_build_object('utility', 3 + n %% 5)), '[]', %(now)s::timestamptz::date, 1
FROM generate_series(1, greatest(40, %(days)s * least(%(points)s, 1000) / 1000)) AS n, LATERAL (
    SELECT n %% 3 > 0 AND n > 45,
        %(now)s::timestamptz - n * INTERVAL '1 day' - INTERVAL '7 hours'
) AS story (is_over, opened);

-- One energized an hour ago, so that the last hour has one.
UPDATE smartpark.load_request SET energized_at = %(now)s::timestamptz - INTERVAL '20 minutes',
    opened_at = %(now)s::timestamptz - INTERVAL '30 minutes', outcome = 'archived', ended_at = %(now)s::timestamptz
WHERE park = %(p)s AND code = 'LR-2026-' || lpad((%(number)s * 100000 + 1)::text, 6, '0');

INSERT INTO smartpark.alert_rule (code, version, park, document, is_active, written_by, written_at)
SELECT %(p)s || '-rule-' || n, 1, %(p)s, '{"name": "规则", "name_en": "Rule"}', true, 'bench', %(now)s
FROM generate_series(1, 10) AS n;

-- Alerts: ten a day and a thousand points, one every 25 minutes of the last hours; the newest forty fire.
INSERT INTO smartpark.alert (park, rule, rule_version, object, device, cause, group_key, severity, state, since,
    known_at, fired_at, acknowledged_at, cleared_at, resolved_at, ended_by, label, hidden, last_value, limit_value, unit,
    last_at, worst_unit, worst_at, reopened, is_flapping, hidden_by, told_flapping, escalation, sequence, changed_at)
SELECT %(p)s, %(p)s || '-rule-' || 1 + n %% 10, 1, 'device:' || %(p)s || '/M' || lpad((1 + n %% 60)::text, 3, '0') || '/' || n,
    %(p)s || '/M' || lpad((1 + n %% 60)::text, 3, '0'), 'demand', 'g' || n %% 60,
    (ARRAY['info', 'warning', 'warning', 'critical'])[1 + n %% 4], CASE WHEN is_over THEN 'resolved' ELSE 'firing' END,
    at, at, at, CASE WHEN n %% 3 > 0 THEN at + INTERVAL '5 minutes' END, CASE WHEN is_over THEN at + INTERVAL '20 minutes' END,
    CASE WHEN is_over THEN at + INTERVAL '20 minutes' END, CASE WHEN is_over THEN 'condition' END,
    CASE n %% 9 WHEN 0 THEN 'false_alarm' WHEN 1 THEN 'true_alarm' END, CASE WHEN n %% 20 = 0 THEN 'silenced' END, 2, 1,
    'kW', at, 'kW', at, 0, false, '', false, 0, 1, at
FROM generate_series(1, greatest(80, 10 * %(days)s * least(%(points)s, 1000) / 1000)) AS n, LATERAL (
    SELECT n > 40, %(now)s::timestamptz - CASE
        WHEN n <= 80 THEN n * INTERVAL '25 minutes'
        ELSE INTERVAL '2000 minutes' + (n - 80) * INTERVAL '144 minutes' END
) AS story (is_over, at);
INSERT INTO smartpark.alert_event (alert_id, sequence, at, recorded_at, actor, body)
SELECT alert_id, 1, since, since, 'system', '{"type": "fired"}' FROM smartpark.alert WHERE park = %(p)s;

-- Days of registers, as the triggers that are off would have summed them.
INSERT INTO smartpark.energy_day (point_id, start, amount, covered, size, estimated, quarters)
SELECT
    e.point_id, date_trunc('day', e.start, 'Asia/Shanghai'), sum(e.amount),
    coalesce(sum(e.completeness::float8) FILTER (WHERE e.amount IS NOT NULL), 0), coalesce(sum(abs(e.amount)), 0), 0,
    count(e.amount)
FROM smartpark.interval_energy AS e
JOIN smartpark.point AS p USING (point_id)
WHERE p.park = %(p)s
GROUP BY 1, 2
ORDER BY 2, 1;

-- Where each request has been: a stage every four days.
INSERT INTO smartpark.load_request_event (code, sequence, at, recorded_at, by, body)
SELECT r.code, 1 + n, r.opened_at + n * INTERVAL '4 days', r.opened_at + n * INTERVAL '4 days', 'bench',
    CASE WHEN n = 0 THEN '{"type": "opened", "is_lead": true}'::jsonb ELSE jsonb_build_object('type', 'moved', 'to', (ARRAY[
        'acceptance', 'survey', 'access_study', 'scheme_reply', 'design_review', 'construction', 'mid_inspection',
        'completion_inspection', 'contract', 'energization', 'archiving'
    ])[n]) END
FROM smartpark.load_request AS r, generate_series(0, 11) AS n
WHERE r.park = %(p)s AND (n = 0 OR r.opened_at + n * INTERVAL '4 days' < %(now)s);

INSERT INTO smartpark.alert_silence (park, kind, matchers, starts_at, ends_at, reason, created_by, created_at)
SELECT %(p)s, CASE n %% 2 WHEN 0 THEN 'silence' ELSE 'maintenance' END,
    CASE n %% 3 WHEN 0 THEN '{}'::jsonb ELSE '{"devices": ["M001"]}'::jsonb END,
    %(now)s::timestamptz - n * INTERVAL '7 days' - INTERVAL '30 minutes', %(now)s::timestamptz - n * INTERVAL '7 days',
    'bench', 'bench', %(now)s
FROM generate_series(0, %(days)s / 7) AS n;

INSERT INTO smartpark.stale_mark (point_id, span_start, span_end)
SELECT point_id, %(now)s::timestamptz - INTERVAL '15 minutes', %(now)s FROM smartpark.point WHERE park = %(p)s;
INSERT INTO smartpark.stale_hour (park, device, hour)
SELECT %(p)s, code, date_trunc('hour', %(now)s::timestamptz) FROM smartpark.device WHERE park = %(p)s;

INSERT INTO smartpark.aggregate_source (source, url, instance, added_at, rows) VALUES
    (%(p)s, 'https://example.org', gen_random_uuid(), %(now)s, 98);

INSERT INTO smartpark.emission_limit (park, device, pollutant, measurand, limit_value, unit, reference_o2_pct, code, name,
    name_en, valid_from, source, grade, version, kept_at)
SELECT d.park, d.code, l, l || '_concentration', 50, 'mg/m3', 9, 'limit', '限值', 'limit', '2020-01-01', 'bench', 'M01', '1',
    %(now)s
FROM smartpark.device AS d, unnest(ARRAY['so2', 'nox', 'dust']) AS l
WHERE d.park = %(p)s AND d.kind = 'stack';

-- Free capacity of each node each midnight; forecasts of 48 hours each hour of the last 92 days.
INSERT INTO smartpark.headroom (park, as_of, node, kind, name, unit, capacity, limit_value, binding, peak, peak_at, reserved,
    headroom, window_from, completeness, is_lower_bound, method, computed_at)
SELECT %(p)s, t, n.kind || '/' || n.code, n.kind, n.code, 'kVA', n.kva, 0.8 * n.kva, 'load_share', 400, t, 50,
    0.8 * n.kva - 450, t - INTERVAL '365 days', 1, false, 'headroom/1', t
FROM generate_series(0, %(days)s) AS day
CROSS JOIN LATERAL (
    SELECT date_trunc('day', %(now)s::timestamptz, 'Asia/Shanghai') - day * INTERVAL '24 hours' AS t
) AS moment
CROSS JOIN (
    SELECT 'transformer' AS kind, code, rated_kva AS kva FROM smartpark.transformer WHERE park = %(p)s
    UNION ALL
    SELECT 'feeder', code, rated_kva FROM smartpark.feeder WHERE park = %(p)s
) AS n;

INSERT INTO smartpark.load_forecast_run (park, made_at, slot_minutes, basis, history_days, year_peak_kw, year_peak_low_kw,
    year_peak_high_kw, year_basis, method, computed_at)
SELECT %(p)s, t, 60, 'learnt', 365, 20000, 18000, 22000, 'learnt', 'load-forecast/1', t
FROM generate_series(
    date_trunc('hour', %(now)s::timestamptz) - make_interval(days => least(92, %(days)s)),
    date_trunc('hour', %(now)s::timestamptz), INTERVAL '1 hour'
) AS t;
INSERT INTO smartpark.load_forecast (park, made_at, time, p10_kw, p50_kw, p90_kw)
SELECT park, made_at, made_at + n * INTERVAL '1 hour', 9000, 10000 + 100 * (n %% 24), 14000
FROM smartpark.load_forecast_run, generate_series(0, 47) AS n
WHERE park = %(p)s
ORDER BY made_at, n;

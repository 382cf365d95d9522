-- A park with something to show on every panel of every dashboard, up to now. %(p)s is its code, %(n)s a number of its
-- own. Amounts follow simple formulae, so that tests can compute apart what a panel must say. Written as the owner of
-- the database.

INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone, contract_demand_kw,
    electricity_factor_scope) VALUES (%(p)s, '园区' || %(p)s, 'Park ' || %(p)s, '350121', 'coastal', 1, 100,
    'Asia/Shanghai', 1000, 'fujian');

INSERT INTO smartpark.enterprise (park, code, name, name_en, uscc, is_above_scale) VALUES (%(p)s, 'E1', '企业一', 'One',
    'u', true), (%(p)s, 'E2', '企业二', 'Two', 'u', true);

INSERT INTO smartpark.sub_park (park, code, name, name_en) VALUES (%(p)s, 'z''1', '一区', 'Zone one');

INSERT INTO smartpark.transformer (park, code, name, rated_kva, voltage_kv) VALUES (%(p)s, 'TR1', '一号变', 1250, 10),
    (%(p)s, 'TR2', '二号变', 800, 10);

INSERT INTO smartpark.contract (park, code, valid_from, basic_charge, power_factor_standard, settlement_day)
VALUES (%(p)s, 'C1', '2020-01-01', 'demand', '0.90', 1);

INSERT INTO smartpark.device (park, code, name, name_en, kind, carrier, role, parent, internal_transfer, ct_ratio,
    pt_ratio) VALUES
    (%(p)s, 'M1', '一号进线', 'Incomer 1', 'meter', 'electricity', 'boundary', NULL, false, 1, 1),
    (%(p)s, 'M2', '二号进线', 'Incomer 2', 'meter', 'electricity', 'boundary', NULL, false, 1, 1),
    (%(p)s, 'T1', '企业电表', 'Tenant', 'meter', 'electricity', 'consumption', 'M1', false, 1, 1),
    (%(p)s, 'S1', '排口一号', 'Stack 1', 'stack', 'flue_gas', 'consumption', NULL, false, 1, 1),
    (%(p)s, 'A1', '空气站', 'Air station', 'station', 'ambient_air', 'consumption', NULL, false, 1, 1);
-- The second incomer hangs on the second transformer, and that on the only feeder.
INSERT INTO smartpark.feeder (park, code, name, rated_kva) VALUES (%(p)s, 'L1', '一号线', 2000);
UPDATE smartpark.transformer SET feeder = 'L1' WHERE park = %(p)s AND code = 'TR2';
UPDATE smartpark.device SET transformer = 'TR2' WHERE park = %(p)s AND code = 'M2';

UPDATE smartpark.device SET sub_park = 'z''1' WHERE park = %(p)s AND code = 'T1';

INSERT INTO smartpark.point (park, device, code, key, measurand, kind, unit, carrier, multiplier)
SELECT %(p)s, d, m, %(p)s || '/' || d || '/' || m, m, k, u, 'electricity', 1
FROM (VALUES
    ('M1', 'active_power', 'gauge', 'kW'), ('M1', 'power_factor', 'gauge', '1'),
    ('M1', 'active_energy_import', 'counter', 'kWh'), ('M2', 'active_power', 'gauge', 'kW'),
    ('M2', 'active_energy_import', 'counter', 'kWh'), ('T1', 'active_power', 'gauge', 'kW'),
    ('T1', 'active_energy_import', 'counter', 'kWh'), ('T1', 'voltage', 'gauge', 'V'),
    ('A1', 'ambient_pm25', 'gauge', 'ug/m3'), ('A1', 'wind_speed', 'gauge', 'm/s'),
    ('S1', 'so2_concentration', 'gauge', 'mg/m3')
) AS p (d, m, k, u);

INSERT INTO smartpark.point_version (point_id, valid_from, multiplier)
SELECT point_id, '2020-01-01', 1 FROM smartpark.point WHERE park = %(p)s;

-- Every gauge every five minutes for 27 hours: M1 draws 100 + hour of the day [UTC], M2 draws 200, the rest shows 1.
INSERT INTO smartpark.reading (time, point_id, raw, status)
SELECT t, point_id,
    CASE WHEN measurand <> 'active_power' THEN 1
        WHEN device = 'M1' THEN 100 + extract(hour FROM t AT TIME ZONE 'UTC') ELSE 200 END, 0
FROM smartpark.point, generate_series(
    date_trunc('hour', now()) - INTERVAL '27 hours', now(), INTERVAL '5 minutes'
) AS t
WHERE park = %(p)s AND kind = 'gauge' AND code <> 'voltage'
ORDER BY 1, 2;

-- The voltage was heard an hour ago, and was bad then.
INSERT INTO smartpark.latest (point_id, time, raw, status, received_at)
SELECT point_id, t, CASE WHEN measurand = 'active_power' THEN 250 ELSE 1 END,
    CASE WHEN code = 'voltage' THEN -2147483648 ELSE 0 END, t + INTERVAL '2 seconds'
FROM smartpark.point, LATERAL (
    SELECT now() - CASE WHEN code = 'voltage' THEN INTERVAL '1 hour' ELSE INTERVAL '10 seconds' END AS t
) AS moment
WHERE park = %(p)s AND kind = 'gauge';

-- Two days of quarter-hours of the registers, 10 kWh each; of T1 four of the last hours are not known.
INSERT INTO smartpark.interval_energy (point_id, start, amount, completeness, estimated_share, flags)
SELECT point_id, t, CASE WHEN NOT is_gap THEN 10 END, CASE WHEN is_gap THEN 0 ELSE 1 END, 0,
    CASE WHEN is_gap THEN 1 ELSE 16 * (extract(minute FROM t) = 0)::integer END
FROM smartpark.point, generate_series(
    date_trunc('hour', now()) - INTERVAL '50 hours', date_trunc('hour', now()) - INTERVAL '15 minutes',
    INTERVAL '15 minutes'
) AS t, LATERAL (
    SELECT device = 'T1' AND t >= date_trunc('hour', now()) - INTERVAL '6 hours'
        AND t < date_trunc('hour', now()) - INTERVAL '2 hours' AS is_gap
) AS gap
WHERE park = %(p)s AND kind = 'counter';

INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)
VALUES (md5('dashboards')::uuid, 'kWh', 'method/1', 'set', '{dashboard-factor}', ''),
    (md5('kept')::uuid, 'mg/m3', 'method/1', 'set', '{}', 'reference oxygen 9 %%; limit 50 mg/m3 kept'),
    (md5('exceeded')::uuid, 'mg/m3', 'method/1', 'set', '{}', 'reference oxygen 9 %%; limit 50 mg/m3 exceeded')
ON CONFLICT DO NOTHING;

INSERT INTO smartpark.factor (id, kind, carrier, scope, value, unit, as_stated, valid_from, historical, source, grade,
    origin, loaded_by) VALUES ('dashboard-factor', 'emission_factor', 'electricity', 'fujian', 0.5, 't/MWh', '0.5',
    '2020-01-01', false, 'made up', 'M01', 'test', 'test') ON CONFLICT DO NOTHING;

INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)
SELECT %(p)s, 'park', i, g FROM unnest(%(indicators)s::text[]) AS i, unnest(ARRAY['hour', 'day', 'month', 'year']) AS g
UNION ALL
SELECT %(p)s, b, i, g FROM (VALUES
    ('device/S1', 'so2_corrected'), ('device/S1', 'nox_corrected'), ('device/S1', 'dust_corrected'),
    ('device/S1', 'so2_in_limit'), ('device/S1', 'nox_in_limit'), ('device/S1', 'dust_in_limit'),
    ('device/A1', 'air_quality_index'), ('device/M1', 'balance_residual'), ('device/M1', 'voltage_in_limits'),
    ('device/M1', 'frequency_in_limits'), ('transformer/TR1', 'transformer_load_rate'),
    ('transformer/TR1', 'transformer_heavy_hours'), ('transformer/TR1', 'transformer_overload_hours'),
    ('enterprise/E1', 'electricity_consumption'), ('enterprise/E2', 'electricity_consumption')
) AS s (b, i), unnest(ARRAY['hour', 'day', 'month']) AS g
-- Of stacks, concentrations are those of hours, which say in words whether the limit was kept; shares are those of days.
WHERE CASE WHEN i LIKE '%%_corrected' THEN g = 'hour' WHEN i LIKE '%%_in_limit' THEN g <> 'hour' ELSE true END;

-- Every number is park's number + how many periods ago; those in limits are 1, but 0 in every fifth period; the third
-- period back is known by a fifth. Hours of 30 hours, days of 34 days, months of 14, years of 3.
INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, numerator, denominator,
    completeness, estimated_share, computed_at, publication_id)
SELECT s.series_id, (SELECT origin_id FROM smartpark.indicator_origin WHERE digest = md5(CASE
        WHEN s.indicator NOT LIKE '%%_corrected' THEN 'dashboards' WHEN p.ago %% 5 <> 4 THEN 'kept' ELSE 'exceeded' END)::uuid),
    p.start, 1, v.value, v.value * 2, 2, CASE WHEN p.ago = 3 THEN 0.2 ELSE 1 END, 0, now(), 1
FROM smartpark.indicator_series AS s
CROSS JOIN LATERAL (
    SELECT n AS ago, CASE s.grain
        WHEN 'hour' THEN date_trunc('hour', now()) - n * INTERVAL '1 hour'
        ELSE (date_trunc(s.grain, now() AT TIME ZONE 'Asia/Shanghai') - n * ('1 ' || s.grain)::interval)
            AT TIME ZONE 'Asia/Shanghai'
        END AS start
    FROM generate_series(0, CASE s.grain WHEN 'hour' THEN 30 WHEN 'day' THEN 34 WHEN 'month' THEN 14 ELSE 3 END) AS n
) AS p
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.indicator LIKE '%%_in_limit' OR s.indicator LIKE '%%_in_limits'
        THEN (p.ago %% 5 <> 4)::integer ELSE %(n)s + p.ago END::float8 AS value
) AS v
WHERE s.park = %(p)s;

-- An hour was corrected.
INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, completeness, estimated_share,
    computed_at, superseded_at, publication_id)
SELECT series_id, (SELECT origin_id FROM smartpark.indicator_origin WHERE digest = md5('dashboards')::uuid),
    date_trunc('hour', now()), 0, 1, 1, 0, now() - INTERVAL '50 minutes', now() - INTERVAL '20 minutes', 1
FROM smartpark.indicator_series
WHERE park = %(p)s AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain = 'hour';

INSERT INTO smartpark.business_figure (park, entity, kind, product, price_basis, grain, first_day, revision, value,
    unit, is_estimated, source_document, entered_by, note, recorded_at) VALUES (%(p)s, 'park', 'carbon_budget_t', '', '',
    'year', date_trunc('year', now() AT TIME ZONE 'Asia/Shanghai')::date, 1, 3650, 't', false, 'd', 'd', '', now());

INSERT INTO smartpark.edge (code) VALUES ('edge-' || %(n)s);
INSERT INTO smartpark.edge_state (edge_id, online, status)
SELECT edge_id, true, jsonb_build_object('spool_readings', 3, 'spool_bytes', 50, 'spool_limit_bytes', 100, 'dropped', 0)
FROM smartpark.edge WHERE code = 'edge-' || %(n)s;

INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, received_at)
VALUES ('edge-' || %(n)s, 't', 'unknown_point', 'd', '', now() - INTERVAL '30 minutes');

INSERT INTO smartpark.catalogue_version (park, digest, source, loaded_by, loaded_at, document)
VALUES (%(p)s, 'd', 'park.toml', 'test', now(), '{}');

WITH made AS (INSERT INTO smartpark.publication (kind) VALUES ('seal') RETURNING publication_id)
INSERT INTO smartpark.submission (code, park, grain, start, sequence, rows, digest, manifest, signature, key_id,
    sealed_by, sealed_at, note, publication_id)
SELECT %(p)s || '/2026-10/1', %(p)s, 'month', '2026-09-30 16:00Z', 1, 1, decode(repeat('00', 32), 'hex'), 'm',
    decode(repeat('00', 64), 'hex'), 'k', 'test', now(), '', publication_id
FROM made;

-- Requests: one overdue at the transformer, one with time left without a node, one energized within its limit.
INSERT INTO smartpark.load_request (code, park, applicant, kind, applied_kva, existing_kva, voltage, supply, user_kind,
    importance, channel, source, probability, wanted_on, node, stage, owner, scheme_is_extended, reserved_kva, reworks,
    opened_at, accepted_at, stage_since, changed_at, energized_at, ended_at, outcome, stage_used, stage_due_on,
    stage_runs, total_used, total_limit, total_runs, stage_days, stage_limits, clocks_on, version)
SELECT 'LR-2026-' || lpad((%(n)s * 10 + r.n)::text, 6, '0'), %(p)s, '申请单位', 'new_supply', r.kva, 0, '10kv', 'single',
    'ordinary', 'ordinary', 'normal', 'application', 0.5, now()::date + 60, r.node, r.stage, 'utility', false, r.kva / 2,
    0, now() - INTERVAL '40 days', now() - INTERVAL '30 days', now() - INTERVAL '4 days', now(),
    CASE WHEN r.n = 3 THEN now() - INTERVAL '10 minutes' END, CASE WHEN r.n = 3 THEN now() END,
    CASE WHEN r.n = 3 THEN 'archived' END, 4, now()::date + r.days, r.n < 3, 20, 30, false,
    jsonb_build_object('acceptance', jsonb_build_object('utility', r.n, 'customer', 1)), '[]', now()::date, 1
FROM (VALUES
    (1, 1000.0, 'TR1', 'survey', -5), (2, 500.0, NULL, 'scheme_reply', 5), (3, 250.0, 'TR2', 'archiving', 0)
) AS r (n, kva, node, stage, days);

INSERT INTO smartpark.alert_rule (code, version, park, document, is_active, written_by, written_at)
VALUES ('rule-' || %(n)s, 1, %(p)s, '{"name": "规则", "name_en": "Rule"}', true, 'test', now());

-- Alerts: one critical fires and nobody has acknowledged it, one warning was acknowledged after 5 and over after 20 minutes.
INSERT INTO smartpark.alert (park, rule, rule_version, object, device, cause, group_key, severity, state, since,
    known_at, fired_at, acknowledged_at, cleared_at, resolved_at, ended_by, label, last_value, limit_value, unit, last_at,
    worst_unit, worst_at, reopened, is_flapping, hidden_by, told_flapping, escalation, sequence, changed_at)
SELECT %(p)s, 'rule-' || %(n)s, 1, 'point:' || %(p)s || '/' || a.device || '/active_power', %(p)s || '/' || a.device,
    'demand', 'g', a.severity, a.state, a.at, a.at, a.at,
    CASE WHEN a.is_over THEN a.at + INTERVAL '5 minutes' END, CASE WHEN a.is_over THEN a.at + INTERVAL '20 minutes' END,
    CASE WHEN a.is_over THEN a.at + INTERVAL '20 minutes' END, CASE WHEN a.is_over THEN 'condition' END,
    CASE WHEN a.is_over THEN 'false_alarm' END, 2, 1, 'kW', a.at, 'kW', a.at, 0, false, '', false, 0, 1, a.at
FROM (VALUES
    ('M1', 'critical', 'firing', now() - INTERVAL '40 minutes', false),
    ('M2', 'warning', 'resolved', now() - INTERVAL '50 minutes', true)
) AS a (device, severity, state, at, is_over);

-- Each was accepted ten days after it was opened, which is 30 days ago, and surveyed four days ago.
INSERT INTO smartpark.load_request_event (code, sequence, at, recorded_at, by, body)
SELECT 'LR-2026-' || lpad((%(n)s * 10 + r)::text, 6, '0'), e.sequence, now() - e.ago, now() - e.ago, 'test', e.body::jsonb
FROM generate_series(1, 3) AS r, (VALUES
    (1, INTERVAL '40 days', '{"type": "opened", "is_lead": true}'),
    (2, INTERVAL '30 days', '{"type": "moved", "to": "acceptance"}'),
    (3, INTERVAL '4 days', '{"type": "moved", "to": "survey"}')
) AS e (sequence, ago, body);

INSERT INTO smartpark.alert_silence (park, kind, matchers, starts_at, ends_at, reason, created_by, created_at)
VALUES (%(p)s, 'maintenance', '{"devices": ["M1"]}', now() - INTERVAL '50 minutes', now() - INTERVAL '20 minutes', 'r',
    'test', now());

INSERT INTO smartpark.emission_limit (park, device, pollutant, measurand, limit_value, unit, reference_o2_pct, code, name,
    name_en, valid_from, source, grade, version, kept_at)
SELECT %(p)s, 'S1', l.pollutant, l.pollutant || '_concentration', l.value, 'mg/m3', 3.5, 'made-up', '限值', 'Limit',
    '2014-07-01', 'made up', 'M01', 'v', now()
FROM (VALUES ('so2', 50), ('nox', 200), ('dust', 1000)) AS l (pollutant, value);

-- Free capacity of last night and of ten nights before; the contract's is not known.
INSERT INTO smartpark.headroom (park, as_of, node, kind, name, unit, capacity, limit_value, binding, peak, peak_at, reserved,
    headroom, cautious_headroom, window_from, completeness, is_lower_bound, reason, rule, grade, method, computed_at)
SELECT %(p)s, m.as_of, h.node, h.kind, h.name, h.unit, h.capacity, h.allowed, h.binding, %(n)s, m.as_of - INTERVAL '1 day',
    h.reserved, h.allowed - %(n)s - h.reserved, h.allowed - 2 * %(n)s - h.reserved, m.as_of - INTERVAL '365 days', 0.9,
    false, CASE WHEN h.allowed IS NULL THEN 'no demand published' END, 'rule', 'S', 'headroom/1', now()
FROM (VALUES
    ('transformer/TR1', 'transformer', '一号变', 'kVA', 1250, 1000, 'load_share', 500),
    ('transformer/TR2', 'transformer', '二号变', 'kVA', 800, 640, 'load_share', 0),
    ('feeder/L1', 'feeder', '一号线', 'kVA', 2000, 1600, 'load_share', 0),
    ('contract/C1', 'contract', 'C1', 'kW', 1000, NULL, 'contract', 0)
) AS h (node, kind, name, unit, capacity, allowed, binding, reserved), (VALUES
    (date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'),
    (date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' - INTERVAL '10 days')
) AS m (as_of);

-- Forecasts of the last full hour and of 27 hours before: half as much again as the hours ahead, 50 kW up and down.
INSERT INTO smartpark.load_forecast_run (park, made_at, slot_minutes, basis, history_days, year_peak_kw,
    year_peak_low_kw, year_peak_high_kw, year_basis, method, computed_at)
SELECT %(p)s, date_trunc('hour', now()) - ago, 60, 'learnt', 300, 900, 800, 1000, 'learnt', 'load-forecast/1', now()
FROM (VALUES (INTERVAL '0 hours'), (INTERVAL '27 hours')) AS m (ago);
INSERT INTO smartpark.load_forecast (park, made_at, time, p10_kw, p50_kw, p90_kw)
SELECT park, made_at, made_at + h * INTERVAL '1 hour', 250 + h, 300 + h, 350 + h
FROM smartpark.load_forecast_run, generate_series(0, 47) AS h
WHERE park = %(p)s;

INSERT INTO smartpark.aggregate_source (source, url, instance, added_at, pulled_at, rows)
VALUES ('source-' || %(n)s, 'https://example.org', gen_random_uuid(), now(), now() - INTERVAL '5 minutes', 7);

-- Of no park, written by whoever comes first: the API answers once a second, a twentieth refused, a twentieth in a second and
-- a half; a backup of five hours ago, one before that failed, a drill of three days ago.
INSERT INTO smartpark.api_traffic (grain, start, method, route, requests, client_errors, server_errors, seconds, counts)
SELECT g.grain, g.start, 'GET', '/api/v1/parks', 60 * g.minutes, 3 * g.minutes, 0, 6 * g.minutes,
    ARRAY[30 * g.minutes, 0, 0, 27 * g.minutes, 0, 0, 0, 3 * g.minutes, 0, 0, 0]
FROM (
    SELECT 'minute', date_trunc('minute', now()) - n * INTERVAL '1 minute', 1 FROM generate_series(1, 60) AS n
    UNION ALL SELECT 'hour', date_trunc('hour', now()) - n * INTERVAL '1 hour', 60 FROM generate_series(1, 48) AS n
    UNION ALL
    SELECT 'day', date_trunc('day', now(), 'Asia/Shanghai') - n * INTERVAL '1 day', 1440 FROM generate_series(1, 40) AS n
) AS g (grain, start, minutes)
ON CONFLICT DO NOTHING;
INSERT INTO smartpark.api_presence (hour, minutes)
SELECT date_trunc('hour', now()) - n * INTERVAL '1 hour', repeat('1', 60)::bit(60) FROM generate_series(0, 1000) AS n
ON CONFLICT DO NOTHING;
INSERT INTO smartpark.backup_run (kind, backup, began_at, ended_at, bytes, outcome)
SELECT b.kind, 'made-up-' || b.kind, now() - b.ago, now() - b.ago + INTERVAL '4 minutes', b.bytes, b.outcome
FROM (VALUES
    ('logical', INTERVAL '5 hours', 123456789, 'done'), ('logical', INTERVAL '29 hours', NULL, 'failed'),
    ('drill', INTERVAL '3 days', NULL, 'done')
) AS b (kind, ago, bytes, outcome)
WHERE NOT EXISTS (SELECT FROM smartpark.backup_run);

-- A row in every table that a park has rows in, for tests of who may see it. %(p)s is the code of the park, which
-- stands in every text of its rows, %(code)s that of its load request. Written as the owner of the database.

INSERT INTO smartpark.aggregate_source (source, url, instance, added_at) VALUES (%(p)s, 'https://' || %(p)s ||
    '.example.org', gen_random_uuid(), now());

INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,
    electricity_factor_scope, source) VALUES (%(p)s, %(p)s, %(p)s, '350121', 'coastal', 2, 1, 'Asia/Shanghai',
    'fujian', %(p)s);

INSERT INTO smartpark.sub_park (park, code, name, name_en) VALUES (%(p)s, 'S', %(p)s, %(p)s);

INSERT INTO smartpark.enterprise (park, code, name, name_en, uscc, is_above_scale, industry) VALUES (%(p)s, 'E',
    %(p)s, %(p)s, %(p)s, true, 'C31');

INSERT INTO smartpark.transformer (park, code, name, rated_kva, voltage_kv) VALUES (%(p)s, 'TR', %(p)s, 1000, 10);

INSERT INTO smartpark.feeder (park, code, name, rated_kva) VALUES (%(p)s, 'F', %(p)s, 1000);

INSERT INTO smartpark.contract (park, code, valid_from, basic_charge, settlement_day) VALUES (%(p)s, 'C',
    '2026-01-01', %(p)s, 1);

INSERT INTO smartpark.device (park, code, name, name_en, kind, carrier, role, internal_transfer, ct_ratio, pt_ratio)
    VALUES (%(p)s, 'M0', %(p)s, %(p)s, 'meter', 'electricity', 'boundary', false, 1, 1);

INSERT INTO smartpark.virtual_meter (park, code, name, name_en, expression, carrier, measurand, role) VALUES (%(p)s,
    'V', %(p)s, %(p)s, 'M0', 'electricity', 'active_energy_import', 'boundary');

INSERT INTO smartpark.point (park, device, code, key, measurand, kind, unit, carrier, multiplier) VALUES (%(p)s,
    'M0', 'active_power', %(p)s || '/M0/active_power', 'active_power', 'gauge', 'kW', 'electricity', 1), (%(p)s,
    'M0', 'active_energy_import', %(p)s || '/M0/active_energy_import', 'active_energy_import', 'counter', 'kWh',
    'electricity', 1);

INSERT INTO smartpark.point_version (point_id, valid_from, multiplier) SELECT point_id, '2020-01-01', 1 FROM
    smartpark.point WHERE park = %(p)s;

INSERT INTO smartpark.meter_change (park, key, device, point, at, final, initial) VALUES (%(p)s, %(p)s, 'M0',
    'active_power', '2026-01-01', '1', '0');

INSERT INTO smartpark.catalogue_version (park, digest, source, loaded_by, loaded_at, document) VALUES (%(p)s, %(p)s,
    %(p)s, %(p)s, now(), to_jsonb(%(p)s::text));

INSERT INTO smartpark.entity_change (version_id, entity, key, change, after) SELECT version_id, 'park', %(p)s,
    'add', to_jsonb(%(p)s::text) FROM smartpark.catalogue_version WHERE park = %(p)s;

INSERT INTO smartpark.factor (id, kind, carrier, scope, value, unit, as_stated, park, valid_from, historical,
    source, grade, origin, loaded_by) VALUES (%(p)s, 'k', 'c', %(p)s, 1, 'u', '1', %(p)s, '2026-01-01', false,
    %(p)s, 'A', %(p)s, %(p)s);

INSERT INTO smartpark.reading (time, point_id, raw, status) SELECT timestamptz '2026-10-10 00:00Z' + n * INTERVAL '5
    minutes', point_id, n, 0 FROM smartpark.point, generate_series(0, 24) AS n WHERE park = %(p)s;

INSERT INTO smartpark.latest (point_id, time, raw, status, received_at) SELECT point_id, '2026-10-10', 1, 0, now()
    FROM smartpark.point WHERE park = %(p)s;

INSERT INTO smartpark.minute_hour (hour, point_id, means) SELECT '2026-10-10', point_id, '\x00' FROM smartpark.point
    WHERE park = %(p)s;

INSERT INTO smartpark.interval_energy (point_id, start, amount, completeness, estimated_share, flags) SELECT
    point_id, timestamptz '2026-10-10 00:00Z' + n * INTERVAL '15 minutes', 1, 1, 0, 0 FROM smartpark.point,
    generate_series(0, 8) AS n WHERE park = %(p)s;

INSERT INTO smartpark.stale_hour (park, device, hour) VALUES (%(p)s, 'M0', '2026-10-10');

INSERT INTO smartpark.stale_mark (point_id, span_start, span_end) SELECT point_id, '2026-10-10', '2026-10-11' FROM
    smartpark.point WHERE park = %(p)s;

INSERT INTO smartpark.stale_ratio (park, month) VALUES (%(p)s, '2026-10-01');

INSERT INTO smartpark.business_figure (park, entity, kind, product, price_basis, grain, first_day, revision, value,
    unit, is_estimated, source_document, entered_by, note, recorded_at) VALUES (%(p)s, 'park', 'output', '', '',
    'month', '2026-10-01', 1, 1, 'CNY', false, %(p)s, %(p)s, %(p)s, now());

INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain) VALUES (%(p)s, 'park', 'energy', 'month'),
    (%(p)s, 'enterprise/E', 'energy', 'month'), (%(p)s, 'park', 'energy', 'hour'), (%(p)s, 'park', 'energy',
    'year');

INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason) VALUES
    (gen_random_uuid(), 'kWh', 'method/1', 'set', '{}', '');

INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, numerator, denominator,
    completeness, estimated_share, computed_at, publication_id) SELECT series_id, (SELECT max(origin_id) FROM
    smartpark.indicator_origin), '2026-09-30 16:00Z', 1, 1, 1, 1, 1, 0, now(), 1 FROM smartpark.indicator_series
    WHERE park = %(p)s;

WITH made AS (INSERT INTO smartpark.publication (kind) VALUES ('seal') RETURNING publication_id) INSERT INTO
    smartpark.submission (code, park, grain, start, sequence, rows, digest, manifest, signature, key_id, sealed_by,
    sealed_at, note, publication_id) SELECT %(p)s || '/2026-10/1', %(p)s, 'month', '2026-09-30 16:00Z', 1, 1,
    decode(repeat('00', 32), 'hex'), %(p)s, decode(repeat('00', 64), 'hex'), 'k', %(p)s, now(), %(p)s,
    publication_id FROM made;

INSERT INTO smartpark.submission_row (code, series_id, start, revision) SELECT %(p)s || '/2026-10/1', series_id,
    '2026-09-30 16:00Z', 1 FROM smartpark.indicator_series WHERE park = %(p)s;

INSERT INTO smartpark.uplink (name, kind) VALUES ('both', 'nhjc') ON CONFLICT (name) DO NOTHING;

INSERT INTO smartpark.uplink_packet (uplink, packet, start, digest, sent_at) VALUES ('both', 'p', '2026-10-10', '',
    now()) ON CONFLICT (uplink, packet, start) DO NOTHING;

INSERT INTO smartpark.uplink_item (uplink, item, start, grain, packet, series_id, revision, form, digest, withheld,
    queued_at, next_at) SELECT 'both', %(p)s || ':' || grain || ':' || boundary, '2026-09-30 16:00Z', grain, '',
    series_id, 1, '', '', '', now(), now() FROM smartpark.indicator_series WHERE park = %(p)s;

INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, point_key, received_at) VALUES (%(p)s,
    %(p)s, 'unknown_point', %(p)s, '', %(p)s || '/M0/active_power', now());

INSERT INTO smartpark.person (code, name, name_en, email, language, is_active) VALUES (%(p)s || 'er', 'N', 'N', '',
    'zh', true);

INSERT INTO smartpark.manager_term (park, duty, person, valid_from) VALUES (%(p)s, 'manager', %(p)s || 'er',
    '2026-01-01');

INSERT INTO smartpark.load_request (code, park, applicant, kind, applied_kva, existing_kva, voltage, supply,
    user_kind, importance, channel, source, stage, owner, scheme_is_extended, reserved_kva, reworks, opened_at,
    stage_since, changed_at, stage_used, stage_runs, total_used, total_runs, stage_days, stage_limits, clocks_on,
    version, manager, accepted_at, energized_at) VALUES (%(code)s, %(p)s, %(p)s, 'new_supply', 1, 0, 'kv10',
    'single', 'other', 'ordinary', 'online', 'proactive_visit', 'survey', 'utility', false, 1, 0, '2026-10-10',
    '2026-10-10', '2026-10-10', 0, true, 0, true, '{"acceptance": {"utility": 3}}', '[]', '2026-10-10', 1, %(p)s ||
    'er', '2026-10-10', '2026-10-20');

INSERT INTO smartpark.load_request_event (code, sequence, at, recorded_at, by, body) VALUES (%(code)s, 1,
    '2026-10-10', '2026-10-10', %(p)s, jsonb_build_object('type', 'commented', 'text', %(p)s::text)), (%(code)s, 2, '2026-10-10',
    '2026-10-10', %(p)s, '{"type": "opened"}');

INSERT INTO smartpark.load_request_attachment (attachment, code, name, kind, media_type, size_bytes, sha256,
    uploaded_by, uploaded_at) VALUES (md5(%(p)s), %(code)s, %(p)s, 'other', 'application/pdf', 1, repeat('0', 64),
    %(p)s, now());

INSERT INTO smartpark.applicant_link (code, token_sha256, made_by, made_at, expires_at) VALUES (%(code)s,
    sha256(convert_to(%(p)s, 'UTF8')), %(p)s, now(), now() + INTERVAL '1 day');

INSERT INTO smartpark.calendar_link (token_sha256, park, made_by, made_at) VALUES (sha256(convert_to(%(p)s,
    'UTF8')), %(p)s, %(p)s, now());

INSERT INTO smartpark.calendar_link (token_sha256, person, made_by, made_at) VALUES (sha256(convert_to(%(p)s || '1',
    'UTF8')), %(p)s || 'er', %(p)s, now());

INSERT INTO smartpark.saved_view (person, name, query) VALUES (%(p)s || 'er', %(p)s, %(p)s);

INSERT INTO smartpark.webhook (name, url, secret_ref, park, events, is_active) VALUES (%(p)s, %(p)s, %(p)s, %(p)s,
    '{}', true);

INSERT INTO smartpark.outbox (webhook, code, sequence, next_at) VALUES (%(p)s, %(code)s, 1, now());

INSERT INTO smartpark.notice (key, kind, person, code, document, planned_at, next_at) VALUES (%(p)s, 'reminder',
    %(p)s || 'er', %(code)s, to_jsonb(%(p)s::text), now(), now());

INSERT INTO smartpark.idempotent_answer (key, actor, fingerprint, begun_at, principal) VALUES (%(p)s, %(p)s, %(p)s,
    now(), 'person:' || %(p)s || 'er');

INSERT INTO smartpark.access_client (client, title, contact, made_by, made_at) VALUES (%(p)s || '-program', %(p)s,
    %(p)s, %(p)s, now());

INSERT INTO smartpark.access_grant (person, role, park, valid_from, granted_by) VALUES (%(p)s || 'er',
    'administrator', %(p)s, now(), %(p)s);

INSERT INTO smartpark.access_grant (client, role, park, valid_from, granted_by) VALUES (%(p)s || '-program',
    'province', %(p)s, now(), %(p)s);

INSERT INTO smartpark.access_secret (secret_id, client, kind, secret_sha256, scopes, made_by, made_at, expires_at)
    VALUES (left(md5(%(p)s), 12), %(p)s || '-program', 'api_key', sha256(convert_to(%(p)s, 'UTF8')), '{}', %(p)s,
    now(), now() + INTERVAL '1 day');

INSERT INTO smartpark.person_identity (issuer, subject, person, bound_at) VALUES (%(p)s, %(p)s, %(p)s || 'er',
    now());

INSERT INTO smartpark.login_link (token_sha256, person, made_by, made_at, expires_at) VALUES
    (sha256(convert_to(%(p)s, 'UTF8')), %(p)s || 'er', %(p)s, now(), now() + INTERVAL '1 day');

INSERT INTO smartpark.person_session (session_sha256, person, method, begun_at, seen_at, expires_at) VALUES
    (sha256(convert_to(%(p)s, 'UTF8')), %(p)s || 'er', 'link', now(), now(), now() + INTERVAL '1 day');

INSERT INTO smartpark.audit_entry (at, principal, proof, action, park, object, status, remote, request_id) VALUES
    (now(), %(p)s, 'local', 'x', %(p)s, %(p)s, 200, '', '');

INSERT INTO smartpark.alert_rule (code, version, park, document, is_active, written_by, written_at) VALUES (%(p)s, 1,
    %(p)s, jsonb_build_object('name', %(p)s::text, 'name_en', %(p)s::text), true, %(p)s, now());

INSERT INTO smartpark.alert (park, rule, rule_version, object, device, cause, group_key, severity, state, since,
    known_at, fired_at, unit, last_at, worst_unit, worst_at, reopened, is_flapping, hidden_by, told_flapping,
    escalation, sequence, changed_at) SELECT %(p)s, %(p)s, 1, 'point:' || %(p)s || '/M0/' || name, %(p)s || '/M0',
    'demand', 'demand@device:' || %(p)s || '/M0', 'warning', 'firing', '2026-10-10', '2026-10-10', '2026-10-10', 'kW',
    '2026-10-10', 'kW', '2026-10-10', 0, false, '', false, 0, 1, '2026-10-10' FROM (VALUES ('active_power'),
    ('active_energy_import')) AS points (name);

INSERT INTO smartpark.alert_event (alert_id, sequence, at, recorded_at, actor, body) SELECT alert_id, 1, since,
    since, %(p)s, jsonb_build_object('type', 'began', 'of', %(p)s::text) FROM smartpark.alert WHERE park = %(p)s;

INSERT INTO smartpark.alert_silence (park, kind, matchers, starts_at, ends_at, reason, created_by, created_at) VALUES
    (%(p)s, 'silence', '{}', '2026-10-10', '2026-11-10', %(p)s, %(p)s, '2026-10-10');

INSERT INTO smartpark.alert_contact (code, park, document, is_active) VALUES (%(p)s, %(p)s, jsonb_build_object('name',
    %(p)s::text), true);

INSERT INTO smartpark.alert_route (code, park, position, document, is_active) VALUES (%(p)s, %(p)s, 1,
    jsonb_build_object('code', %(p)s::text), true);

INSERT INTO smartpark.alert_intent (key, contact, kind, park, alerts, group_key, body, planned_at, due_at) SELECT
    %(p)s, %(p)s, 'fired', %(p)s, array_agg(alert_id), %(p)s, '{}', '2026-10-10', timestamptz '2026-10-10' +
    ascii(%(p)s) * INTERVAL '1 hour' FROM smartpark.alert WHERE park = %(p)s;

INSERT INTO smartpark.emission_limit (park, device, pollutant, measurand, limit_value, unit, reference_o2_pct, code,
    name, name_en, valid_from, source, grade, version, kept_at) VALUES (%(p)s, 'M0', 'so2', 'so2_concentration', 50,
    'mg/m3', 3.5, %(p)s, %(p)s, %(p)s, '2014-07-01', %(p)s, 'S', %(p)s, '2026-10-10');

INSERT INTO smartpark.headroom (park, as_of, node, kind, name, unit, reserved, window_from, completeness,
    is_lower_bound, reason, method, computed_at) VALUES (%(p)s, '2026-10-10', 'park', 'park', %(p)s, 'kVA', 0,
    '2025-10-10', 0, true, %(p)s, 'x', '2026-10-10');

INSERT INTO smartpark.load_forecast_run (park, made_at, slot_minutes, basis, history_days, year_basis, method,
    computed_at) VALUES (%(p)s, '2026-10-10', 60, 'learnt', 1, 'none', 'x', '2026-10-10');

INSERT INTO smartpark.load_forecast (park, made_at, time, p50_kw) VALUES (%(p)s, '2026-10-10', '2026-10-10', 1);

-- Of no park: whoever comes first writes them.
INSERT INTO smartpark.api_traffic (grain, start, method, route, requests, client_errors, server_errors, seconds, counts)
VALUES ('hour', '2026-10-10', 'GET', '/api/v1/parks', 3, 1, 1, 0.5, '{1,1,1,0,0,0,0,0,0,0,0}') ON CONFLICT DO NOTHING;

INSERT INTO smartpark.api_presence (hour, minutes) VALUES ('2026-10-10', repeat('01', 30)::bit(60))
ON CONFLICT DO NOTHING;

INSERT INTO smartpark.api_process (process, sequence, seen_at) VALUES ('00000000-0000-4000-8000-000000000001', 1,
    '2026-10-10') ON CONFLICT DO NOTHING;

INSERT INTO smartpark.backup_run (kind, backup, began_at, ended_at, bytes, outcome) SELECT 'logical', 'made-up',
    '2026-10-10', '2026-10-10', 1, 'done' WHERE NOT EXISTS (SELECT FROM smartpark.backup_run);

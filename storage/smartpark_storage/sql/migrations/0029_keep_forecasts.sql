-- What is computed for people at one time and would be forgotten at the next is kept, dated: the limits that a stack is
-- held to, what capacity was free, what load was forecast. What is not known is null and says why; it is never zero.

-- Limits as they follow from the catalogue and the platform's table of limits, resolved: periods of one stack and
-- pollutant do not overlap. A row that no longer follows is superseded, never changed.
CREATE TABLE smartpark.emission_limit (
    emission_limit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL REFERENCES smartpark.park,
    device text NOT NULL,
    pollutant text NOT NULL CHECK (pollutant IN ('so2', 'nox', 'dust')),
    measurand text NOT NULL,
    limit_value double precision NOT NULL CHECK (limit_value > 0),
    unit text NOT NULL,
    reference_o2_pct double precision NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    name_en text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    source text NOT NULL,
    grade text NOT NULL,
    version text NOT NULL,
    kept_at timestamptz NOT NULL,
    superseded_at timestamptz,
    FOREIGN KEY (park, device) REFERENCES smartpark.device (park, code)
);
CREATE UNIQUE INDEX emission_limit_current ON smartpark.emission_limit (park, device, pollutant, valid_from)
    WHERE superseded_at IS NULL;

CREATE TABLE smartpark.headroom (
    park text NOT NULL REFERENCES smartpark.park,
    as_of timestamptz NOT NULL,
    node text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('feeder', 'transformer', 'park', 'contract')),
    name text NOT NULL,
    enterprise text,
    unit text NOT NULL CHECK (unit IN ('kVA', 'kW')),
    capacity double precision,
    limit_value double precision,
    binding text,
    peak double precision,
    peak_at timestamptz,
    reserved double precision,
    headroom double precision,
    cautious_headroom double precision,
    window_from timestamptz NOT NULL,
    completeness double precision NOT NULL CHECK (completeness BETWEEN 0 AND 1),
    is_lower_bound boolean NOT NULL,
    reason text,
    rule text,
    grade text,
    method text NOT NULL,
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (park, as_of, node),
    CONSTRAINT headroom_is_known_or_says_why CHECK ((headroom IS NULL) = (reason IS NOT NULL))
);

CREATE TABLE smartpark.load_forecast_run (
    park text NOT NULL REFERENCES smartpark.park,
    made_at timestamptz NOT NULL,
    slot_minutes integer NOT NULL,
    basis text NOT NULL CHECK (basis IN ('learnt', 'profile', 'none')),
    reason text,
    history_days double precision NOT NULL,
    year_peak_kw double precision,
    year_peak_low_kw double precision,
    year_peak_high_kw double precision,
    year_basis text NOT NULL,
    method text NOT NULL,
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (park, made_at),
    CONSTRAINT load_forecast_run_says_why CHECK ((basis = 'learnt') = (reason IS NULL))
);

CREATE TABLE smartpark.load_forecast (
    park text NOT NULL,
    made_at timestamptz NOT NULL,
    time timestamptz NOT NULL CHECK (time >= made_at),
    p10_kw double precision,
    p50_kw double precision NOT NULL,
    p90_kw double precision,
    PRIMARY KEY (park, made_at, time),
    FOREIGN KEY (park, made_at) REFERENCES smartpark.load_forecast_run ON DELETE CASCADE,
    CONSTRAINT load_forecast_in_order CHECK (p10_kw <= p50_kw AND p50_kw <= p90_kw)
);
CREATE INDEX load_forecast_time ON smartpark.load_forecast (park, time);

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['emission_limit', 'headroom', 'load_forecast_run', 'load_forecast'] LOOP
        CALL smartpark.rule(format('smartpark.%I', name)::regclass, smartpark.of_seen_park('operation'));
        CALL smartpark.let_views_read(format('smartpark.%I', name)::regclass, smartpark.of_read_park());
        EXECUTE format('GRANT SELECT ON smartpark.%I TO smartpark_api, smartpark_ingest', name);
        EXECUTE format('GRANT INSERT, DELETE ON smartpark.%I TO smartpark_ingest', name);
    END LOOP;
END $do$;
GRANT UPDATE (superseded_at) ON smartpark.emission_limit TO smartpark_ingest;

CREATE VIEW park.emission_limit AS
SELECT
    l.park, l.device, d.name AS device_name, d.name_en AS device_name_en, l.pollutant, l.measurand, l.limit_value,
    l.unit, l.reference_o2_pct, l.code, l.name AS limit_name, l.name_en AS limit_name_en, l.valid_from, l.valid_to,
    l.valid_from::timestamp AT TIME ZONE 'Asia/Shanghai' AS starts,
    l.valid_to::timestamp AT TIME ZONE 'Asia/Shanghai' AS ends,
    l.source, l.grade, l.version, l.kept_at
FROM smartpark.emission_limit AS l
JOIN smartpark.device AS d ON d.park = l.park AND d.code = l.device
WHERE l.superseded_at IS NULL;

-- Whether a run is its park's newest is said so that whoever asks for the newest alone is led there by an index: the
-- condition makes an inner join of the outer one, and OFFSET keeps the planner from asking each row for its park.
CREATE VIEW park.headroom AS
SELECT
    h.as_of AS time, h.park, h.node, h.kind, h.name, h.enterprise, h.unit, h.capacity, h.limit_value, h.binding, h.peak,
    h.peak_at, h.reserved, h.headroom, h.headroom / nullif(h.capacity, 0) AS headroom_share, h.cautious_headroom,
    h.window_from, h.as_of AS window_to, h.completeness, h.is_lower_bound, h.reason, h.rule, h.grade, h.method,
    h.computed_at, n.park IS NOT NULL AS is_latest
FROM smartpark.headroom AS h
LEFT JOIN (
    SELECT p.code AS park, (SELECT max(o.as_of) FROM smartpark.headroom AS o WHERE o.park = p.code) AS newest
    FROM smartpark.park AS p
    OFFSET 0
) AS n ON n.park = h.park AND n.newest = h.as_of;

CREATE VIEW park.load_forecast AS
SELECT
    f.time, f.park, f.made_at, extract(epoch FROM f.time - f.made_at)::double precision / 3600 AS horizon_h, f.p10_kw,
    f.p50_kw, f.p90_kw, r.slot_minutes, r.basis, r.method, r.computed_at, n.park IS NOT NULL AS is_latest
FROM smartpark.load_forecast AS f
JOIN smartpark.load_forecast_run AS r USING (park, made_at)
LEFT JOIN (
    SELECT
        p.code AS park, (SELECT max(o.made_at) FROM smartpark.load_forecast_run AS o WHERE o.park = p.code) AS newest
    FROM smartpark.park AS p
    OFFSET 0
) AS n ON n.park = r.park AND n.newest = r.made_at;

-- The peak of a run is that of its first 24 hours.
CREATE VIEW park.load_forecast_run AS
SELECT
    r.made_at AS time, r.park, r.basis, r.reason, r.history_days, p.p50_kw AS peak_kw, p.time AS peak_at,
    p.p90_kw AS peak_p90_kw, r.year_peak_kw, r.year_peak_low_kw, r.year_peak_high_kw, r.year_basis, r.method,
    r.computed_at, n.park IS NOT NULL AS is_latest
FROM smartpark.load_forecast_run AS r
LEFT JOIN (
    SELECT
        p.code AS park, (SELECT max(o.made_at) FROM smartpark.load_forecast_run AS o WHERE o.park = p.code) AS newest
    FROM smartpark.park AS p
    OFFSET 0
) AS n ON n.park = r.park AND n.newest = r.made_at
LEFT JOIN LATERAL (
    SELECT f.time, f.p50_kw, f.p90_kw
    FROM smartpark.load_forecast AS f
    WHERE f.park = r.park AND f.made_at = r.made_at AND f.time < r.made_at + interval '24 hours'
    ORDER BY f.p50_kw DESC, f.time
    LIMIT 1
) AS p ON true;

GRANT SELECT ON park.emission_limit, park.headroom, park.load_forecast, park.load_forecast_run
    TO smartpark_grafana, smartpark_ingest;
CALL smartpark.show('emission_limit');
CALL smartpark.show('headroom');
CALL smartpark.show('load_forecast');
CALL smartpark.show('load_forecast_run');

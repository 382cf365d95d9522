-- Forecasts and free capacity that are kept: runs are added once, and forgotten when they are old.

-- outlook_parks --
SELECT code FROM smartpark.park WHERE retired_at IS NULL AND source IS NULL ORDER BY code;

-- headroom_is_kept --
SELECT EXISTS (SELECT FROM smartpark.headroom WHERE park = %(park)s AND as_of = %(at)s);

-- forecast_is_kept --
SELECT EXISTS (SELECT FROM smartpark.load_forecast_run WHERE park = %(park)s AND made_at = %(at)s);

-- keep_headroom --
INSERT INTO smartpark.headroom (
    park, as_of, node, kind, name, enterprise, unit, capacity, limit_value, binding, peak, peak_at, reserved, headroom,
    cautious_headroom, window_from, completeness, is_lower_bound, reason, rule, grade, method, computed_at
)
SELECT
    %(park)s, %(as_of)s, node, kind, name, enterprise, unit, capacity, limit_value, binding, peak, peak_at, reserved,
    headroom, cautious_headroom, %(window_from)s, completeness, is_lower_bound, reason, rule, grade, method,
    %(computed_at)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS w (
    node text, kind text, name text, enterprise text, unit text, capacity double precision,
    limit_value double precision, binding text, peak double precision, peak_at timestamptz, reserved double precision,
    headroom double precision, cautious_headroom double precision, completeness double precision,
    is_lower_bound boolean, reason text, rule text, grade text, method text
)
ON CONFLICT (park, as_of, node) DO NOTHING;

-- keep_forecast_run --
INSERT INTO smartpark.load_forecast_run (
    park, made_at, slot_minutes, basis, reason, history_days, year_peak_kw, year_peak_low_kw, year_peak_high_kw,
    year_basis, method, computed_at
)
VALUES (
    %(park)s, %(made_at)s, %(slot_minutes)s, %(basis)s, %(reason)s, %(history_days)s, %(year_peak_kw)s,
    %(year_peak_low_kw)s, %(year_peak_high_kw)s, %(year_basis)s, %(method)s, %(computed_at)s
)
ON CONFLICT (park, made_at) DO NOTHING;

-- keep_forecast --
INSERT INTO smartpark.load_forecast (park, made_at, time, p10_kw, p50_kw, p90_kw)
SELECT %(park)s, %(made_at)s, time, p10_kw, p50_kw, p90_kw
FROM jsonb_to_recordset(%(slots)s::jsonb) AS w (
    time timestamptz, p10_kw double precision, p50_kw double precision, p90_kw double precision
);

-- forget_forecasts --
-- The slots go with their run.
DELETE FROM smartpark.load_forecast_run WHERE made_at < %(before)s;

-- forget_headroom --
DELETE FROM smartpark.headroom WHERE as_of < %(before)s;

-- How sure a number is stands beside it, and a published row is never rewritten, by nobody.

-- Relative half-width of the 95 % interval; null: not known.
ALTER TABLE smartpark.indicator ADD COLUMN uncertainty double precision CHECK (uncertainty >= 0);

CREATE OR REPLACE VIEW park.indicator AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, boundary, uncertainty
FROM smartpark.indicator
WHERE superseded_at IS NULL;

CREATE OR REPLACE VIEW park.indicator_revision AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, superseded_at, boundary, uncertainty
FROM smartpark.indicator;

CREATE FUNCTION smartpark.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept smartpark.indicator := OLD;
BEGIN
    kept.superseded_at := NEW.superseded_at;
    -- A revision is superseded once; what it said stays.
    IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL OR kept IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'a published indicator is not rewritten: %/%/% of % % is revision % for good',
            OLD.park, OLD.boundary, OLD.indicator, OLD.grain, OLD.start, OLD.revision
            USING HINT = 'publish a new revision', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER indicator_is_kept BEFORE UPDATE ON smartpark.indicator
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_rewriting();

-- The carriers that are no energy have grown in number: as in core's `balance_rule`.
CREATE OR REPLACE VIEW park.boundary_flow AS
WITH metered AS (
    SELECT
        p.point_id, p.key AS point, p.park, p.device, p.measurand, p.unit, p.carrier, d.role,
        d.role = 'generation' AND bool_or(p.measurand = 'active_energy_export') OVER of_device AS is_reversed,
        p.code = 'active_power'
            OR NOT bool_or(p.measurand = 'active_power' AND p.code = 'active_power') OVER of_device AS is_whole
    FROM smartpark.point AS p
    JOIN smartpark.device AS d ON d.park = p.park AND d.code = p.device
    WHERE p.retired_at IS NULL AND d.role IN ('boundary', 'generation') AND NOT d.internal_transfer
    WINDOW of_device AS (PARTITION BY p.park, p.device)
)
SELECT
    point_id, point, park, device, measurand, unit, carrier, role,
    CASE
        WHEN measurand = 'active_power' THEN CASE WHEN is_reversed THEN -1 ELSE 1 END
        WHEN role = 'boundary' THEN CASE WHEN measurand = 'active_energy_export' THEN -1 ELSE 1 END
        ELSE CASE WHEN is_reversed AND measurand <> 'active_energy_export' THEN -1 ELSE 1 END
    END AS sign
FROM metered
WHERE CASE
    WHEN measurand = 'active_power' THEN carrier IN ('electricity', 'photovoltaic') AND is_whole
    WHEN carrier IN (
        'acetylene', 'carbide', 'co2_gas', 'compressed_air', 'deaerated_water',
        'limestone', 'nitrogen', 'nitrogen_by', 'nitrogen_main', 'oxygen',
        'soda_ash', 'soft_water', 'water'
    ) THEN false
    WHEN measurand IN ('active_energy_import', 'active_energy_export') THEN true
    ELSE role = 'boundary' AND measurand IN ('gas_volume', 'heat_energy', 'steam_mass', 'fuel_mass')
END;

-- A published number is forty bytes; its names and its origin were seven hundred. So whose number it is stands once per
-- series, and how it came about once per origin: a park of thirty meters publishes five thousand numbers a day, of some
-- thousand origins a year. `smartpark.indicator` goes on as a view with the columns it had.

CREATE TABLE smartpark.indicator_series (
    series_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL REFERENCES smartpark.park,
    boundary text NOT NULL,
    indicator text NOT NULL,
    grain text NOT NULL,
    UNIQUE (park, indicator, grain, boundary)
);
DO $do$
BEGIN
    -- The rule for boundaries is the one that holds at this moment, whatever it has become.
    EXECUTE (
        SELECT format('ALTER TABLE smartpark.indicator_series ADD CONSTRAINT indicator_series_boundary_check %s',
            pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE conrelid = 'smartpark.indicator'::regclass AND conname = 'indicator_boundary_check'
    );
END $do$;

CREATE TABLE smartpark.indicator_origin (
    origin_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Digest of all the rest: texts of any length under one short key.
    digest uuid NOT NULL UNIQUE,
    unit text NOT NULL,
    method text NOT NULL,
    factor_set text NOT NULL,
    factors text[] NOT NULL,
    reason text NOT NULL
);

CREATE FUNCTION smartpark.origin_digest(unit text, method text, factor_set text, factors text[], reason text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(unit || chr(31) || method || chr(31) || factor_set || chr(31)
        || array_to_string(factors, chr(30)) || chr(31) || reason)::uuid
$$;

CREATE TABLE smartpark.indicator_value (
    start timestamptz NOT NULL,
    value double precision,
    numerator double precision,
    denominator double precision,
    uncertainty double precision CHECK (uncertainty >= 0),
    computed_at timestamptz NOT NULL,
    superseded_at timestamptz,
    series_id integer NOT NULL REFERENCES smartpark.indicator_series,
    origin_id integer NOT NULL REFERENCES smartpark.indicator_origin,
    revision integer NOT NULL,
    completeness real NOT NULL,
    estimated_share real NOT NULL
);

INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)
SELECT DISTINCT park, boundary, indicator, grain FROM smartpark.indicator ORDER BY 1, 2, 3, 4;

INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)
SELECT DISTINCT
    smartpark.origin_digest(unit, method, factor_set, factors, reason), unit, method, factor_set, factors, reason
FROM smartpark.indicator;

INSERT INTO smartpark.indicator_value
SELECT
    i.start, i.value, i.numerator, i.denominator, i.uncertainty, i.computed_at, i.superseded_at, s.series_id,
    o.origin_id, i.revision, i.completeness, i.estimated_share
FROM smartpark.indicator AS i
JOIN smartpark.indicator_series AS s USING (park, boundary, indicator, grain)
JOIN smartpark.indicator_origin AS o
    ON o.digest = smartpark.origin_digest(i.unit, i.method, i.factor_set, i.factors, i.reason);

ALTER TABLE smartpark.indicator_value ADD PRIMARY KEY (series_id, start, revision);
CREATE UNIQUE INDEX indicator_value_current ON smartpark.indicator_value (series_id, start)
    WHERE superseded_at IS NULL;

DROP VIEW park.indicator, park.indicator_revision;
DROP TABLE smartpark.indicator;
DROP FUNCTION smartpark.refuse_rewriting();

CREATE VIEW smartpark.indicator AS
SELECT
    s.park, s.indicator, s.grain, v.start, v.revision, v.value, v.numerator, v.denominator, o.unit, v.completeness,
    v.estimated_share, o.method, o.factor_set, o.factors, o.reason, v.computed_at, v.superseded_at, s.boundary,
    v.uncertainty
FROM smartpark.indicator_value AS v
JOIN smartpark.indicator_series AS s USING (series_id)
JOIN smartpark.indicator_origin AS o USING (origin_id);

CREATE VIEW park.indicator AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, boundary, uncertainty
FROM smartpark.indicator
WHERE superseded_at IS NULL;

CREATE VIEW park.indicator_revision AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, superseded_at, boundary, uncertainty
FROM smartpark.indicator;

CREATE FUNCTION smartpark.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept smartpark.indicator_value := OLD;
    name text;
BEGIN
    kept.superseded_at := NEW.superseded_at;
    -- A revision is superseded once; what it said stays.
    IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL OR kept IS DISTINCT FROM NEW THEN
        SELECT format('%s/%s/%s of %s', park, boundary, indicator, grain) INTO name
        FROM smartpark.indicator_series WHERE series_id = OLD.series_id;
        RAISE EXCEPTION 'a published indicator is not rewritten: % % is revision % for good',
            name, OLD.start, OLD.revision
            USING HINT = 'publish a new revision', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER indicator_value_is_kept BEFORE UPDATE ON smartpark.indicator_value
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_rewriting();

-- How a number came about stays too: nobody has the right to change it, and whoever owns the table is told.
CREATE FUNCTION smartpark.refuse_other_origin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what published numbers rest on is not rewritten: % %', TG_TABLE_NAME, to_jsonb(OLD)
        USING HINT = 'publish a new revision', ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER indicator_origin_is_kept BEFORE UPDATE ON smartpark.indicator_origin
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_other_origin();
CREATE TRIGGER indicator_series_is_kept BEFORE UPDATE ON smartpark.indicator_series
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_other_origin();

GRANT SELECT ON park.indicator, park.indicator_revision TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT ON
    smartpark.indicator, smartpark.indicator_series, smartpark.indicator_origin, smartpark.indicator_value
    TO smartpark_api, smartpark_ingest;
GRANT INSERT ON smartpark.indicator_series, smartpark.indicator_origin TO smartpark_ingest;
GRANT INSERT, UPDATE ON smartpark.indicator_value TO smartpark_ingest;

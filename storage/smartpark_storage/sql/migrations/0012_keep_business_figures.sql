-- What a park reports about its economy, and the months whose ratios such a figure changes.

-- A figure is never overwritten: a correction is a new revision by whoever entered it, and the old one says until when
-- it stood. A revision without a value takes the figure back.
CREATE TABLE smartpark.business_figure (
    figure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL REFERENCES smartpark.park,
    entity text NOT NULL CHECK (entity ~ '^(park|(sub_park|enterprise)/.+)$'),
    kind text NOT NULL,
    product text NOT NULL,
    price_basis text NOT NULL,
    grain text NOT NULL CHECK (grain IN ('month', 'quarter', 'year')),
    first_day date NOT NULL,
    revision integer NOT NULL,
    value double precision,
    unit text NOT NULL,
    is_estimated boolean NOT NULL,
    source_document text NOT NULL CHECK (source_document <> ''),
    entered_by text NOT NULL CHECK (entered_by <> ''),
    note text NOT NULL,
    recorded_at timestamptz NOT NULL,
    superseded_at timestamptz,
    UNIQUE (park, entity, kind, product, price_basis, grain, first_day, revision)
);
CREATE UNIQUE INDEX business_figure_current
    ON smartpark.business_figure (park, entity, kind, product, price_basis, grain, first_day)
    WHERE superseded_at IS NULL;
CREATE INDEX business_figure_day ON smartpark.business_figure (park, first_day) WHERE superseded_at IS NULL;

CREATE FUNCTION smartpark.refuse_rewriting_figures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept smartpark.business_figure := OLD;
BEGIN
    kept.superseded_at := NEW.superseded_at;
    IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL OR kept IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'a business figure is not rewritten: %/% of % % is revision % for good',
            OLD.park, OLD.kind, OLD.grain, OLD.first_day, OLD.revision
            USING HINT = 'record a new revision', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER business_figure_is_kept BEFORE UPDATE ON smartpark.business_figure
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_rewriting_figures();

-- Months of a park whose ratios and budgets are to be formed anew. Insert-only, like all marks.
CREATE TABLE smartpark.stale_ratio (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL,
    month date NOT NULL
);
CREATE INDEX ON smartpark.stale_ratio (park);

CREATE VIEW park.business_figure AS
SELECT
    first_day, grain, park, entity, kind, product, price_basis, revision, value, unit, is_estimated, source_document,
    entered_by, note, recorded_at
FROM smartpark.business_figure
WHERE superseded_at IS NULL AND value IS NOT NULL;

CREATE VIEW park.business_figure_revision AS
SELECT
    first_day, grain, park, entity, kind, product, price_basis, revision, value, unit, is_estimated, source_document,
    entered_by, note, recorded_at, superseded_at
FROM smartpark.business_figure;

GRANT SELECT ON park.business_figure, park.business_figure_revision
    TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT, INSERT, UPDATE (superseded_at) ON smartpark.business_figure TO smartpark_api, smartpark_ingest;
GRANT SELECT, INSERT ON smartpark.stale_ratio TO smartpark_api;
-- Claiming locks rows before it deletes them, and locking asks for UPDATE.
GRANT SELECT, INSERT, UPDATE, DELETE ON smartpark.stale_ratio TO smartpark_ingest;

-- Conversion coefficients and emission factors: the platform's rows beside those of parks. A row is never edited and never
-- removed, because numbers have been published with it; a correction is another row that says which one it supersedes.

CREATE TABLE smartpark.factor (
    id text PRIMARY KEY,
    kind text NOT NULL,
    carrier text NOT NULL,
    scope text NOT NULL,
    value double precision NOT NULL CHECK (value >= 0),
    unit text NOT NULL,
    as_stated text NOT NULL,
    park text REFERENCES smartpark.park,
    device text,
    data_year integer,
    published date,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    supersedes text REFERENCES smartpark.factor DEFERRABLE INITIALLY DEFERRED,
    historical boolean NOT NULL,
    uncertainty double precision CHECK (uncertainty >= 0),
    source text NOT NULL,
    grade text NOT NULL,
    origin text NOT NULL,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (park, device) REFERENCES smartpark.device (park, code),
    CHECK (device IS NULL OR park IS NOT NULL)
);
CREATE INDEX ON smartpark.factor (kind, carrier);

CREATE FUNCTION smartpark.refuse_editing_factors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a factor is not edited and not removed: numbers have been published with it'
        USING HINT = 'load another row that supersedes it', ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER factor_is_kept BEFORE UPDATE OR DELETE ON smartpark.factor
    FOR EACH ROW EXECUTE FUNCTION smartpark.refuse_editing_factors();
CREATE TRIGGER factors_are_kept BEFORE TRUNCATE ON smartpark.factor
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_editing_factors();

CREATE VIEW park.factor AS SELECT * FROM smartpark.factor;

GRANT SELECT ON park.factor TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT ON smartpark.factor TO smartpark_api, smartpark_ingest;

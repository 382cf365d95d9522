-- What is computed from readings: interval energy (kept current) and indicators (kept by revision).

CREATE TABLE smartpark.interval_energy (
    point_id integer NOT NULL REFERENCES smartpark.point,
    start timestamptz NOT NULL,
    amount double precision,
    completeness real NOT NULL,
    estimated_share real NOT NULL,
    flags integer NOT NULL,
    PRIMARY KEY (point_id, start)
);
CREATE INDEX ON smartpark.interval_energy (start);

-- A published number is never overwritten: a correction is a new revision, and the old one says until when it held.
CREATE TABLE smartpark.indicator (
    park text NOT NULL REFERENCES smartpark.park,
    indicator text NOT NULL,
    grain text NOT NULL,
    start timestamptz NOT NULL,
    revision integer NOT NULL,
    value double precision,
    numerator double precision,
    denominator double precision,
    unit text NOT NULL,
    completeness real NOT NULL,
    estimated_share real NOT NULL,
    method text NOT NULL,
    factor_set text NOT NULL,
    factors text[] NOT NULL,
    reason text NOT NULL,
    computed_at timestamptz NOT NULL,
    superseded_at timestamptz,
    PRIMARY KEY (park, indicator, grain, start, revision)
);
CREATE UNIQUE INDEX indicator_current ON smartpark.indicator (park, indicator, grain, start)
    WHERE superseded_at IS NULL;

-- Whose number it is: the park's as a whole (`park`), or that of a part of it (`sub_park/CODE`, `enterprise/CODE`). The
-- boundary belongs to the key, so that a sum over a park's rows without naming one is a mistake that shows at once.
ALTER TABLE smartpark.indicator ADD COLUMN boundary text NOT NULL DEFAULT 'park'
    CHECK (boundary ~ '^(park|(sub_park|enterprise)/.+)$');
ALTER TABLE smartpark.indicator DROP CONSTRAINT indicator_pkey;
ALTER TABLE smartpark.indicator ADD PRIMARY KEY (park, boundary, indicator, grain, start, revision);
DROP INDEX smartpark.indicator_current;
CREATE UNIQUE INDEX indicator_current ON smartpark.indicator (park, boundary, indicator, grain, start)
    WHERE superseded_at IS NULL;

CREATE OR REPLACE VIEW park.indicator AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, boundary
FROM smartpark.indicator
WHERE superseded_at IS NULL;

CREATE OR REPLACE VIEW park.indicator_revision AS
SELECT
    start AS time, park, indicator, grain, revision, value, numerator, denominator, unit, completeness,
    estimated_share, method, factor_set, factors, reason, computed_at, superseded_at, boundary
FROM smartpark.indicator;

-- Conversion coefficients and emission factors.

-- lock_factors --
-- Loads take turns, so that each sees the rows of the one before.
LOCK TABLE smartpark.factor IN SHARE ROW EXCLUSIVE MODE;

-- stored_factors --
SELECT to_jsonb(f) - 'origin' - 'loaded_by' - 'loaded_at' FROM smartpark.factor AS f ORDER BY f.id;

-- count_factors --
-- Rows are only ever added: another number means another set.
SELECT count(*) FROM smartpark.factor;

-- add_factors --
INSERT INTO smartpark.factor (
    id, kind, carrier, scope, value, unit, as_stated, park, device, data_year, published, valid_from, valid_to,
    supersedes, historical, uncertainty, source, grade, origin, loaded_by
)
SELECT
    id, kind, carrier, scope, value, unit, as_stated, park, device, data_year, published, valid_from, valid_to,
    supersedes, historical, uncertainty, source, grade, %(origin)s, %(loaded_by)s
FROM jsonb_to_recordset(%(rows)s) AS r (
    id text, kind text, carrier text, scope text, value float8, unit text, as_stated text, park text, device text,
    data_year integer, published date, valid_from date, valid_to date, supersedes text, historical boolean,
    uncertainty float8, source text, grade text
);

-- list_factors --
SELECT to_jsonb(f) FROM smartpark.factor AS f
WHERE (%(kind)s::text IS NULL OR f.kind = %(kind)s)
    AND (%(carrier)s::text IS NULL OR f.carrier = %(carrier)s)
    AND (%(scope)s::text IS NULL OR f.scope = %(scope)s)
    AND (%(park)s::text IS NULL OR f.park = %(park)s)
    AND (%(id)s::text IS NULL OR f.id = %(id)s)
ORDER BY f.kind, f.carrier, f.scope, f.valid_from, f.id;

-- factor_uses --
-- How many numbers rest on it.
SELECT indicator, count(*), min(start), max(start)
FROM smartpark.indicator
WHERE factors @> ARRAY[%(id)s::text]
GROUP BY indicator
ORDER BY indicator;

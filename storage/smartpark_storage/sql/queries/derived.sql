-- Stale spans, interval energy, indicators.

-- claim_stale --
-- A slice of the oldest marks: first its points, each under a lock that lasts until commit; then what the slice has of
-- the points that we got. What is beyond the slice is left to the next claim, so that a long list costs no more.
WITH slice AS MATERIALIZED (
    SELECT mark_id, point_id FROM smartpark.stale_mark WHERE mark_id > %(after)s ORDER BY mark_id LIMIT %(marks)s
),
oldest AS MATERIALIZED (
    SELECT point_id FROM slice GROUP BY point_id ORDER BY min(mark_id) LIMIT %(limit)s
),
mine AS MATERIALIZED (
    SELECT point_id FROM oldest WHERE pg_try_advisory_xact_lock(7262003, point_id)
),
marks AS MATERIALIZED (
    SELECT m.mark_id FROM smartpark.stale_mark AS m
    WHERE m.mark_id IN (SELECT mark_id FROM slice JOIN mine USING (point_id))
    FOR UPDATE OF m SKIP LOCKED
)
DELETE FROM smartpark.stale_mark AS m
USING marks
WHERE m.mark_id = marks.mark_id
RETURNING
    m.point_id,
    (extract(epoch FROM m.span_start) * 1000000)::bigint,
    (extract(epoch FROM m.span_end) * 1000000)::bigint;

-- end_of_slice --
-- Last mark of the slice that begins after this one; null: there is none.
SELECT max(mark_id) FROM (
    SELECT mark_id FROM smartpark.stale_mark WHERE mark_id > %(after)s ORDER BY mark_id LIMIT %(marks)s
) AS slice;

-- copy_interval_energy --
COPY smartpark.interval_energy (point_id, start, amount, completeness, estimated_share, flags)
FROM STDIN (FORMAT binary);

-- change_interval_energy --
INSERT INTO smartpark.interval_energy AS e (point_id, start, amount, completeness, estimated_share, flags)
SELECT
    point_id, timestamptz 'epoch' + start * INTERVAL '1 microsecond', nullif(amount, 'NaN'),
    completeness, estimated_share, flags
FROM unnest(
    %(point_id)s::integer[], %(start)s::bigint[], %(amount)s::float8[], %(completeness)s::real[],
    %(estimated_share)s::real[], %(flags)s::integer[]
) AS given (point_id, start, amount, completeness, estimated_share, flags)
ON CONFLICT (point_id, start) DO UPDATE SET
    amount = excluded.amount, completeness = excluded.completeness,
    estimated_share = excluded.estimated_share, flags = excluded.flags;

-- fetch_interval_energy --
-- Packed: all quarter-hours of a point in one piece (see packing.py).
SELECT point_id, string_agg(
    timestamptz_send(start) || float8send(coalesce(amount, 'NaN')) || float4send(completeness)
    || float4send(estimated_share) || int4send(flags), ''::bytea
)
FROM smartpark.interval_energy
WHERE point_id = ANY(%(points)s::integer[]) AND start >= %(start)s AND start < %(end)s
GROUP BY point_id;

-- supersede_indicators --
-- When it was computed is no difference, and which other factors there were neither: those it rests on are its own.
UPDATE smartpark.indicator AS i
SET superseded_at = timestamptz 'epoch' + given.computed_at_us * INTERVAL '1 microsecond'
FROM unnest(
    %(park)s::text[], %(boundary)s::text[], %(indicator)s::text[], %(grain)s::text[], %(start_us)s::bigint[],
    %(value)s::float8[], %(numerator)s::float8[], %(denominator)s::float8[], %(unit)s::text[],
    %(completeness)s::real[], %(estimated_share)s::real[], %(uncertainty)s::float8[], %(method)s::text[],
    %(factor_set)s::text[], %(factors)s::text[], %(reason)s::text[], %(computed_at_us)s::bigint[]
) AS given (
    park, boundary, indicator, grain, start_us, value, numerator, denominator, unit, completeness, estimated_share,
    uncertainty, method, factor_set, factors, reason, computed_at_us
)
WHERE i.park = given.park AND i.boundary = given.boundary AND i.indicator = given.indicator AND i.grain = given.grain
    AND i.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond' AND i.superseded_at IS NULL
    AND (
        i.value, i.numerator, i.denominator, i.unit, i.completeness, i.estimated_share, i.uncertainty, i.method,
        i.factors, i.reason
    ) IS DISTINCT FROM (
        given.value, given.numerator, given.denominator, given.unit, given.completeness, given.estimated_share,
        given.uncertainty, given.method, string_to_array(given.factors, chr(10)), given.reason
    );

-- publish_indicators --
-- Those that have no current revision: never published before, or superseded a moment ago.
INSERT INTO smartpark.indicator (
    park, boundary, indicator, grain, start, revision, value, numerator, denominator, unit, completeness,
    estimated_share, uncertainty, method, factor_set, factors, reason, computed_at
)
SELECT
    given.park, given.boundary, given.indicator, given.grain,
    timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond',
    1 + coalesce((
        SELECT max(old.revision) FROM smartpark.indicator AS old
        WHERE old.park = given.park AND old.boundary = given.boundary AND old.indicator = given.indicator
            AND old.grain = given.grain AND old.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond'
    ), 0),
    given.value, given.numerator, given.denominator, given.unit, given.completeness, given.estimated_share,
    given.uncertainty, given.method, given.factor_set, string_to_array(given.factors, chr(10)), given.reason,
    timestamptz 'epoch' + given.computed_at_us * INTERVAL '1 microsecond'
FROM unnest(
    %(park)s::text[], %(boundary)s::text[], %(indicator)s::text[], %(grain)s::text[], %(start_us)s::bigint[],
    %(value)s::float8[], %(numerator)s::float8[], %(denominator)s::float8[], %(unit)s::text[],
    %(completeness)s::real[], %(estimated_share)s::real[], %(uncertainty)s::float8[], %(method)s::text[],
    %(factor_set)s::text[], %(factors)s::text[], %(reason)s::text[], %(computed_at_us)s::bigint[]
) AS given (
    park, boundary, indicator, grain, start_us, value, numerator, denominator, unit, completeness, estimated_share,
    uncertainty, method, factor_set, factors, reason, computed_at_us
)
WHERE NOT EXISTS (
    SELECT FROM smartpark.indicator AS i
    WHERE i.park = given.park AND i.boundary = given.boundary AND i.indicator = given.indicator AND i.grain = given.grain
        AND i.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond' AND i.superseded_at IS NULL
);

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
FROM seen.raw_energy
WHERE point_id = ANY(%(points)s::integer[]) AND start >= %(start)s AND start < %(end)s
GROUP BY point_id;

-- enter_series --
-- In one order for everybody, so that two workers never wait for each other crosswise.
INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)
SELECT given.park, given.boundary, given.indicator, given.grain
FROM unnest(
    %(series_park)s::text[], %(series_boundary)s::text[], %(series_indicator)s::text[], %(series_grain)s::text[]
) AS given (park, boundary, indicator, grain)
WHERE NOT EXISTS (
    SELECT FROM smartpark.indicator_series AS s
    WHERE s.park = given.park AND s.indicator = given.indicator AND s.grain = given.grain
        AND s.boundary = given.boundary
)
ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING;

-- enter_origins --
INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)
SELECT
    smartpark.origin_digest(unit, method, factor_set, string_to_array(factors, chr(10)), reason) AS digest,
    unit, method, factor_set, string_to_array(factors, chr(10)), reason
FROM unnest(
    %(origin_unit)s::text[], %(origin_method)s::text[], %(origin_factor_set)s::text[], %(origin_factors)s::text[],
    %(origin_reason)s::text[]
) AS given (unit, method, factor_set, factors, reason)
WHERE NOT EXISTS (
    SELECT FROM smartpark.indicator_origin AS o
    WHERE o.digest = smartpark.origin_digest(
        given.unit, given.method, given.factor_set, string_to_array(given.factors, chr(10)), given.reason
    )
)
ORDER BY digest
ON CONFLICT DO NOTHING;

-- origin_ids --
-- In the order given.
SELECT o.origin_id
FROM unnest(
    %(origin_unit)s::text[], %(origin_method)s::text[], %(origin_factor_set)s::text[], %(origin_factors)s::text[],
    %(origin_reason)s::text[]
) WITH ORDINALITY AS given (unit, method, factor_set, factors, reason, place)
JOIN smartpark.indicator_origin AS o
    ON o.digest = smartpark.origin_digest(
        given.unit, given.method, given.factor_set, string_to_array(given.factors, chr(10)), given.reason
    )
ORDER BY given.place;

-- series_ids --
-- In the order given.
SELECT s.series_id
FROM unnest(
    %(series_park)s::text[], %(series_boundary)s::text[], %(series_indicator)s::text[], %(series_grain)s::text[]
) WITH ORDINALITY AS given (park, boundary, indicator, grain, place)
JOIN smartpark.indicator_series AS s
    ON s.park = given.park AND s.indicator = given.indicator AND s.grain = given.grain AND s.boundary = given.boundary
ORDER BY given.place;

-- supersede_indicators --
-- When it was computed is no difference, and which other factors there were neither: those it rests on are its own.
UPDATE smartpark.indicator_value AS i
SET superseded_at = timestamptz 'epoch' + given.computed_at_us * INTERVAL '1 microsecond'
FROM unnest(
    %(series_id)s::integer[], %(origin_id)s::integer[], %(start_us)s::bigint[], %(value)s::float8[],
    %(numerator)s::float8[], %(denominator)s::float8[], %(completeness)s::real[], %(estimated_share)s::real[],
    %(uncertainty)s::float8[], %(computed_at_us)s::bigint[]
) AS given (
    series_id, origin_id, start_us, value, numerator, denominator, completeness, estimated_share, uncertainty,
    computed_at_us
)
JOIN smartpark.indicator_origin AS now ON now.origin_id = given.origin_id,
    smartpark.indicator_origin AS was
WHERE i.series_id = given.series_id AND i.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond'
    AND i.superseded_at IS NULL AND was.origin_id = i.origin_id
    AND (
        (i.value, i.numerator, i.denominator, i.completeness, i.estimated_share, i.uncertainty)
        IS DISTINCT FROM
        (given.value, given.numerator, given.denominator, given.completeness, given.estimated_share, given.uncertainty)
        OR was.origin_id <> now.origin_id
        AND (was.unit, was.method, was.factors, was.reason)
            IS DISTINCT FROM (now.unit, now.method, now.factors, now.reason)
    );

-- publish_indicators --
-- Those that have no current revision: never published before, or superseded a moment ago. Those of a park are one
-- publication, which gets its position once this is committed; where nothing is new there is none.
WITH fresh AS MATERIALIZED (
    SELECT
        s.park, given.series_id, given.origin_id,
        timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond' AS start, 1 + coalesce((
            SELECT max(old.revision) FROM smartpark.indicator_value AS old
            WHERE old.series_id = given.series_id
                AND old.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond'
        ), 0) AS revision,
        given.value, given.numerator, given.denominator, given.completeness, given.estimated_share,
        given.uncertainty, timestamptz 'epoch' + given.computed_at_us * INTERVAL '1 microsecond' AS computed_at
    FROM unnest(
        %(series_id)s::integer[], %(origin_id)s::integer[], %(start_us)s::bigint[], %(value)s::float8[],
        %(numerator)s::float8[], %(denominator)s::float8[], %(completeness)s::real[], %(estimated_share)s::real[],
        %(uncertainty)s::float8[], %(computed_at_us)s::bigint[]
    ) AS given (
        series_id, origin_id, start_us, value, numerator, denominator, completeness, estimated_share, uncertainty,
        computed_at_us
    )
    JOIN smartpark.indicator_series AS s USING (series_id)
    WHERE NOT EXISTS (
        SELECT FROM smartpark.indicator_value AS i
        WHERE i.series_id = given.series_id
            AND i.start = timestamptz 'epoch' + given.start_us * INTERVAL '1 microsecond' AND i.superseded_at IS NULL
    )
),
publication AS (
    INSERT INTO smartpark.publication (kind, park)
    SELECT DISTINCT 'values', park FROM fresh
    RETURNING publication_id, park
)
INSERT INTO smartpark.indicator_value (
    series_id, origin_id, start, revision, value, numerator, denominator, completeness, estimated_share, uncertainty,
    computed_at, publication_id
)
SELECT
    series_id, origin_id, start, revision, value, numerator, denominator, completeness, estimated_share, uncertainty,
    computed_at, publication_id
FROM fresh JOIN publication USING (park);

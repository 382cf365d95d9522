-- Published indicators: sums of parts, single rows.

-- sum_parts --
-- sum() over doubles adds in the order it is given; completeness weighs by days, which a month has its own number of.
SELECT
    boundary, indicator,
    sum(value ORDER BY start) AS value,
    sum(numerator ORDER BY start) AS numerator,
    sum(denominator ORDER BY start) AS denominator,
    min(unit) AS unit,
    count(*)::integer AS parts,
    count(value)::integer AS known,
    sum(completeness::float8 * days ORDER BY start) AS completeness,
    coalesce(sum(abs(value) ORDER BY start), 0) AS weight,
    coalesce(sum(abs(value) * estimated_share::float8 ORDER BY start), 0) AS estimated,
    CASE WHEN count(value) = count(value) FILTER (WHERE uncertainty IS NOT NULL)
        THEN sum(abs(value) * uncertainty ORDER BY start) END AS uncertain,
    array_agg(DISTINCT method ORDER BY method) AS methods,
    array_agg(DISTINCT factor_set ORDER BY factor_set) AS factor_sets,
    array_agg(DISTINCT array_to_string(factors, chr(10))) AS factors,
    coalesce(array_agg(DISTINCT reason ORDER BY reason) FILTER (WHERE completeness = 1), '{}') AS whys
FROM (
    SELECT
        *,
        CASE grain WHEN 'month' THEN extract(day FROM
            date_trunc('month', start AT TIME ZONE 'Asia/Shanghai') + INTERVAL '1 month - 1 day')::float8
        ELSE 1.0 END AS days
    FROM smartpark.indicator
    WHERE park = %(park)s AND indicator = ANY(%(indicators)s::text[]) AND grain = %(grain)s
        AND start >= %(start)s AND start < %(end)s AND superseded_at IS NULL
) AS parts
GROUP BY boundary, indicator
ORDER BY boundary, indicator;

-- published_row --
SELECT
    park, boundary, indicator, grain, (extract(epoch FROM start) * 1000000)::bigint AS start_us, revision, value,
    numerator, denominator, unit, completeness::float8 AS completeness, estimated_share::float8 AS estimated_share,
    uncertainty, method, factor_set, factors, reason,
    (extract(epoch FROM computed_at) * 1000000)::bigint AS computed_at_us,
    (extract(epoch FROM superseded_at) * 1000000)::bigint AS superseded_at_us
FROM smartpark.indicator
WHERE park = %(park)s AND boundary = %(boundary)s AND indicator = %(indicator)s AND grain = %(grain)s
    AND start = %(start)s
    AND CASE WHEN %(revision)s::integer IS NULL THEN superseded_at IS NULL ELSE revision = %(revision)s END;

-- published_parts --
SELECT
    park, boundary, indicator, grain, (extract(epoch FROM start) * 1000000)::bigint AS start_us, revision, value,
    numerator, denominator, unit, completeness::float8 AS completeness, estimated_share::float8 AS estimated_share,
    uncertainty, method, factor_set, factors, reason,
    (extract(epoch FROM computed_at) * 1000000)::bigint AS computed_at_us,
    (extract(epoch FROM superseded_at) * 1000000)::bigint AS superseded_at_us
FROM smartpark.indicator
WHERE park = %(park)s AND boundary = %(boundary)s AND indicator = ANY(%(indicators)s::text[]) AND grain = %(grain)s
    AND start >= %(start)s AND start < %(end)s AND superseded_at IS NULL
ORDER BY start, indicator;

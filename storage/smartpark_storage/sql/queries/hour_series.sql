-- Published numbers of many boundaries at once, for those who compute with them.

-- fetch_parts --
SELECT
    park, boundary, indicator, grain, (extract(epoch FROM start) * 1000000)::bigint AS start_us, revision, value,
    numerator, denominator, unit, completeness::float8 AS completeness, estimated_share::float8 AS estimated_share,
    uncertainty, method, factor_set, factors, reason,
    (extract(epoch FROM computed_at) * 1000000)::bigint AS computed_at_us, NULL::bigint AS superseded_at_us
FROM smartpark.indicator
WHERE park = %(park)s AND boundary = ANY(%(boundaries)s::text[]) AND indicator = ANY(%(indicators)s::text[])
    AND grain = %(grain)s AND start >= %(start)s AND start < %(end)s AND superseded_at IS NULL
ORDER BY boundary, indicator, start;

-- fetch_hour_series --
-- Packed: all hours of a number in one piece (see packing.py).
SELECT boundary, indicator, string_agg(
    timestamptz_send(start) || float8send(coalesce(value, 'NaN')) || float4send(completeness)
    || float4send(estimated_share), ''::bytea
)
FROM smartpark.indicator
WHERE park = %(park)s AND boundary = ANY(%(boundaries)s::text[]) AND indicator = ANY(%(indicators)s::text[])
    AND grain = 'hour' AND start >= %(start)s AND start < %(end)s AND superseded_at IS NULL
GROUP BY boundary, indicator;

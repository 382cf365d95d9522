-- Published hours as series, for those who compute with a long past of them.

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

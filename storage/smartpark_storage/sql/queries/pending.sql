-- What was stored and has not been computed yet.

-- pending_of_park --
-- Spans of counters and hours of gauges of a park that touch [start, end) and nobody has dealt with.
SELECT
    (
        SELECT count(*)
        FROM seen.waiting_span AS w
        WHERE w.park = %(park)s AND w.span_start < %(end)s AND w.span_end > %(start)s
    )::integer
    + (
        SELECT count(*)
        FROM smartpark.stale_hour AS h
        WHERE h.park = %(park)s AND h.hour >= %(start)s AND h.hour < %(end)s
    )::integer;

-- What others pull: publications in their order, rows as of a position. See docs/aggregates.md for how cursors work.

-- aggregate_head --
-- The newest publication that has a position; there is always one.
SELECT i.instance, p.position, p.token
FROM smartpark.instance AS i,
    LATERAL (
        SELECT position, token FROM smartpark.publication
        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1
    ) AS p;

-- number_publications --
SELECT smartpark.number_publications(%(may_wait)s);

-- publication_token --
SELECT token FROM smartpark.publication WHERE position = %(position)s;

-- aggregate_events --
-- So many events behind the given one, in order, and of these the rows that are asked for, packed (see packing.py).
-- Publications up to `upper` never change, and what has come after it is not looked at: so is the answer.
WITH event AS MATERIALIZED (
    SELECT p.position, p.kind, e.*
    FROM (
        SELECT
            publication_id, position, kind,
            CASE WHEN position = %(position)s THEN %(series_id)s::integer ELSE 0 END AS after_series,
            CASE WHEN position = %(position)s THEN %(start)s::timestamptz ELSE '-infinity' END AS after_start,
            CASE WHEN position = %(position)s THEN %(revision)s::integer ELSE 0 END AS after_revision
        FROM smartpark.publication
        WHERE position >= %(position)s AND position <= %(upper)s
        ORDER BY position
    ) AS p
    -- Each publication by itself, no more of it than can be needed: one of them may be all that was ever published.
    CROSS JOIN LATERAL (
        (
            SELECT v.*
            FROM smartpark.indicator_value AS v
            WHERE p.kind = 'values' AND v.publication_id = p.publication_id
                AND (v.series_id, v.start, v.revision) > (p.after_series, p.after_start, p.after_revision)
            ORDER BY v.series_id, v.start, v.revision
            LIMIT %(examine)s
        )
        UNION ALL
        (
            SELECT v.*
            FROM smartpark.submission AS b
            JOIN smartpark.submission_row AS r USING (code)
            JOIN smartpark.indicator_value AS v USING (series_id, start, revision)
            WHERE p.kind = 'seal' AND b.publication_id = p.publication_id
                AND (r.series_id, r.start, r.revision) > (p.after_series, p.after_start, p.after_revision)
            ORDER BY r.series_id, r.start, r.revision
            LIMIT %(examine)s
        )
    ) AS e
    ORDER BY p.position, e.series_id, e.start, e.revision
    LIMIT %(examine)s
),
chosen AS (
    SELECT string_agg(
        int8send(e.position) || int4send(e.series_id) || timestamptz_send(e.start) || int4send(e.revision)
        || int4send(e.origin_id) || float8send(coalesce(e.value, 'NaN')) || float8send(coalesce(e.numerator, 'NaN'))
        || float8send(coalesce(e.denominator, 'NaN')) || float8send(coalesce(e.uncertainty, 'NaN'))
        || float4send(e.completeness) || float4send(e.estimated_share) || timestamptz_send(e.computed_at)
        || CASE e.kind WHEN 'seal' THEN '\x01'::bytea ELSE '\x00'::bytea END, ''::bytea
    ) AS packed
    FROM event AS e
    JOIN smartpark.indicator_series AS s USING (series_id)
    WHERE (%(parks)s::text[] IS NULL OR s.park = ANY(%(parks)s::text[]))
        AND (split_part(s.boundary, '/', 1) = ANY(%(boundaries)s::text[]) OR s.boundary = ANY(%(boundaries)s::text[]))
        AND (%(indicators)s::text[] IS NULL OR s.indicator = ANY(%(indicators)s::text[]))
        AND (%(grains)s::text[] IS NULL OR s.grain = ANY(%(grains)s::text[]))
        AND e.start >= %(since)s::timestamptz AND e.start < %(until)s::timestamptz
        AND (
            e.kind = 'seal'
            OR (
                %(all_revisions)s
                OR e.superseded_at IS NULL
                -- Superseded, but by something that this answer does not reach yet: then it still holds here.
                OR NOT EXISTS (
                    SELECT FROM smartpark.indicator_value AS n
                    JOIN smartpark.publication AS q USING (publication_id)
                    WHERE n.series_id = e.series_id AND n.start = e.start AND n.revision > e.revision
                        AND q.position <= %(upper)s
                )
            )
            -- What was submitted comes with its submission.
            AND NOT EXISTS (
                SELECT FROM smartpark.submission_row AS r
                JOIN smartpark.submission AS b USING (code)
                JOIN smartpark.publication AS q USING (publication_id)
                WHERE r.series_id = e.series_id AND r.start = e.start AND r.revision = e.revision
                    AND q.position <= %(upper)s
            )
        )
),
furthest AS (
    SELECT position, series_id, start, revision FROM event
    ORDER BY position DESC, series_id DESC, start DESC, revision DESC LIMIT 1
)
SELECT
    (SELECT count(*) FROM event)::integer AS examined, chosen.packed, furthest.position, furthest.series_id,
    (extract(epoch FROM furthest.start) * 1000000)::bigint, furthest.revision
FROM chosen LEFT JOIN furthest ON true;

-- aggregate_series --
SELECT
    s.series_id, s.park, s.boundary, s.indicator, s.grain, k.region, nullif(e.uscc, '')
FROM smartpark.indicator_series AS s
JOIN smartpark.park AS k ON k.code = s.park
LEFT JOIN smartpark.enterprise AS e ON e.park = s.park AND s.boundary = 'enterprise/' || e.code
WHERE s.series_id = ANY(%(ids)s::integer[]);

-- aggregate_origins --
SELECT origin_id, unit, method, factor_set, factors, reason
FROM smartpark.indicator_origin WHERE origin_id = ANY(%(ids)s::integer[]);

-- publication_tokens --
SELECT position, token FROM smartpark.publication WHERE position = ANY(%(positions)s::bigint[]);

-- submission_codes --
SELECT p.position, b.code
FROM smartpark.submission AS b JOIN smartpark.publication AS p USING (publication_id)
WHERE p.position = ANY(%(positions)s::bigint[]);

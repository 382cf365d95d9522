-- Business figures, and the months whose ratios they change.

-- lock_figures --
-- Two people entering the same figure at once make two revisions, one after the other.
SELECT pg_advisory_xact_lock(7262012, hashtext(park))
FROM (SELECT DISTINCT given.park FROM unnest(%(parks)s::text[]) AS given (park) ORDER BY 1) AS sorted;

-- figure_entities --
-- Every entity that a figure may be of.
SELECT code, 'park' FROM smartpark.park WHERE retired_at IS NULL
UNION ALL
SELECT park, 'sub_park/' || code FROM smartpark.sub_park WHERE retired_at IS NULL
UNION ALL
SELECT park, 'enterprise/' || code FROM smartpark.enterprise WHERE retired_at IS NULL;

-- supersede_figures --
-- Who entered it does not count as a difference: the same number from the same document is the same figure.
UPDATE smartpark.business_figure AS f
SET superseded_at = %(at)s
FROM jsonb_to_recordset(%(rows)s) AS given (
    park text, entity text, kind text, product text, price_basis text, grain text, first_day date, value float8,
    unit text, is_estimated boolean, source_document text, note text
)
WHERE (f.park, f.entity, f.kind, f.product, f.price_basis, f.grain, f.first_day)
        = (given.park, given.entity, given.kind, given.product, given.price_basis, given.grain, given.first_day)
    AND f.superseded_at IS NULL
    AND (f.value, f.unit, f.is_estimated, f.source_document, f.note) IS DISTINCT FROM
        (given.value, given.unit, given.is_estimated, given.source_document, given.note);

-- add_figures --
-- Those without a current revision. A withdrawal of what was never entered is nothing.
INSERT INTO smartpark.business_figure (
    park, entity, kind, product, price_basis, grain, first_day, revision, value, unit, is_estimated, source_document,
    entered_by, note, recorded_at
)
SELECT
    given.park, given.entity, given.kind, given.product, given.price_basis, given.grain, given.first_day,
    1 + coalesce(old.revision, 0), given.value, given.unit, given.is_estimated, given.source_document,
    given.entered_by, given.note, %(at)s
FROM jsonb_to_recordset(%(rows)s) AS given (
    park text, entity text, kind text, product text, price_basis text, grain text, first_day date, value float8,
    unit text, is_estimated boolean, source_document text, entered_by text, note text
)
LEFT JOIN LATERAL (
    SELECT max(f.revision) AS revision, bool_or(f.superseded_at IS NULL) AS is_current
    FROM smartpark.business_figure AS f
    WHERE (f.park, f.entity, f.kind, f.product, f.price_basis, f.grain, f.first_day)
        = (given.park, given.entity, given.kind, given.product, given.price_basis, given.grain, given.first_day)
) AS old ON true
WHERE NOT coalesce(old.is_current, false) AND (given.value IS NOT NULL OR old.revision IS NOT NULL)
RETURNING park, grain, first_day, revision, value IS NULL;

-- mark_ratios_stale --
INSERT INTO smartpark.stale_ratio (park, month)
SELECT DISTINCT park, month FROM unnest(%(parks)s::text[], %(months)s::date[]) AS given (park, month);

-- claim_stale_ratios --
-- The oldest marks, and with them all others of the same months; locked by others: theirs.
WITH oldest AS MATERIALIZED (
    SELECT park, month FROM smartpark.stale_ratio GROUP BY 1, 2 ORDER BY min(mark_id) LIMIT %(limit)s
),
marks AS MATERIALIZED (
    SELECT m.mark_id FROM smartpark.stale_ratio AS m JOIN oldest USING (park, month) FOR UPDATE OF m SKIP LOCKED
)
DELETE FROM smartpark.stale_ratio AS m
USING marks
WHERE m.mark_id = marks.mark_id
RETURNING m.park, m.month;

-- read_figures --
-- The current ones, or the whole history, by period; a figure that was withdrawn has no value and is history too.
SELECT
    park, entity, kind, product, price_basis, grain, first_day, revision, value, unit, is_estimated, source_document,
    entered_by, note, recorded_at, superseded_at
FROM smartpark.business_figure
WHERE (%(history)s OR (superseded_at IS NULL AND value IS NOT NULL))
    AND (%(park)s::text IS NULL OR park = %(park)s)
    AND (%(entity)s::text IS NULL OR entity = %(entity)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND first_day >= %(start)s AND first_day < %(end)s
ORDER BY first_day, grain, park, entity, kind, product, price_basis, revision
LIMIT %(limit)s;

-- ratio_entities --
-- A park and its parts as the catalogue has them: land, scale, industry, to which sub-park.
SELECT 'park', area_mu, NULL::boolean, NULL::text, NULL::text FROM smartpark.park WHERE code = %(park)s
UNION ALL
SELECT 'sub_park/' || code, area_mu, NULL, NULL, NULL
FROM smartpark.sub_park WHERE park = %(park)s AND retired_at IS NULL
UNION ALL
SELECT 'enterprise/' || code, area_mu, is_above_scale, industry, 'sub_park/' || sub_park
FROM smartpark.enterprise WHERE park = %(park)s AND retired_at IS NULL
ORDER BY 1;

-- ratio_inputs --
-- Current numbers that ratios are formed from.
SELECT
    boundary, indicator, grain, (extract(epoch FROM start) * 1000000)::bigint, value, completeness, estimated_share,
    method, factor_set, factors, uncertainty
FROM smartpark.indicator
WHERE park = %(park)s AND indicator = ANY(%(indicators)s) AND grain = ANY(%(grains)s)
    AND start >= %(start)s AND start < %(end)s AND superseded_at IS NULL;

-- ranking_inputs --
-- Of every park in service: its peers' marks, and what of the given indicators is published for these periods.
SELECT
    p.code, p.name, p.name_en, p.peer_class, p.terrain, i.indicator,
    (extract(epoch FROM i.start) * 1000000)::bigint, i.value, i.numerator, i.denominator, i.unit, i.completeness,
    i.reason
FROM smartpark.park AS p
LEFT JOIN smartpark.indicator AS i
    ON i.park = p.code AND i.boundary = 'park' AND i.grain = 'year' AND i.superseded_at IS NULL
    AND i.indicator = ANY(%(indicators)s)
    AND i.start = ANY(%(starts)s)
WHERE p.retired_at IS NULL
ORDER BY p.code, i.start, i.indicator;

-- ranking_sectors --
-- Energy and value added of the sectors of each park (two digits of GB/T 4754), from the ratios of its enterprises.
SELECT i.park, left(e.industry, 3), sum(i.numerator ORDER BY e.code), sum(i.denominator ORDER BY e.code)
FROM smartpark.indicator AS i
JOIN smartpark.enterprise AS e ON e.park = i.park AND 'enterprise/' || e.code = i.boundary
WHERE i.indicator = %(indicator)s AND i.grain = 'year' AND i.start = %(start)s AND i.superseded_at IS NULL
    AND i.value IS NOT NULL AND e.industry IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;

-- api_begin_writing --
SELECT
    set_config('statement_timeout', %(timeout_ms)s, true),
    set_config('smartpark.principal', %(principal)s, true),
    set_config('role', 'smartpark_api', true);

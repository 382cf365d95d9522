-- What others pull: publications in their order, rows as of a position. See docs/aggregates.md for how cursors work.

-- aggregate_head --
-- The newest publication that has a position; there is always one. What follows in the transaction is short or streams
-- rows: compiling it would cost more than it runs.
SELECT i.instance, p.position, p.token, set_config('jit', 'off', true)
FROM smartpark.instance AS i,
    LATERAL (
        SELECT position, token FROM smartpark.publication
        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1
    ) AS p;

-- aggregate_head_of_parks --
-- The newest publication that concerns one of these parks: what others publish does not show in it.
SELECT i.instance, p.position, p.token, set_config('jit', 'off', true)
FROM smartpark.instance AS i,
    LATERAL (
        SELECT own.position, own.token
        FROM unnest(%(parks)s::text[]) AS seen (park)
        CROSS JOIN LATERAL (
            SELECT position, token FROM smartpark.publication
            WHERE park = seen.park AND position IS NOT NULL ORDER BY position DESC LIMIT 1
        ) AS own
        UNION ALL
        (
            SELECT position, token FROM smartpark.publication
            WHERE park IS NULL AND position IS NOT NULL ORDER BY position DESC LIMIT 1
        )
        ORDER BY position DESC
        LIMIT 1
    ) AS p;

-- publications_wait --
-- Whether something is committed that has no position yet.
SELECT EXISTS (SELECT FROM smartpark.publication WHERE position IS NULL);

-- number_publications --
SELECT smartpark.number_publications(%(may_wait)s);

-- publication_token --
SELECT token FROM smartpark.publication WHERE position = %(position)s;

-- plan_aggregate_events --
-- The statement below is planned once for all places: a plan for each page costs more than most pages. What it must not
-- do is to gather all that lies ahead and sort that; what comes in the order of positions is sorted publication by
-- publication.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_sort', 'off', true);

-- aggregate_events --
-- So many events behind the given one, packed (see events.py). Publications up to `upper` never change.
SELECT string_agg(
    int8send(e.position) || int4send(e.series_id) || timestamptz_send(e.start) || int4send(e.revision)
    || int4send(e.origin_id) || float8send(coalesce(e.value, 'NaN')) || float8send(coalesce(e.numerator, 'NaN'))
    || float8send(coalesce(e.denominator, 'NaN')) || float8send(coalesce(e.uncertainty, 'NaN'))
    || float4send(e.completeness) || float4send(e.estimated_share) || timestamptz_send(e.computed_at)
    || boolsend(e.kind = 'seal') || boolsend(e.superseded_at IS NOT NULL), ''::bytea
)
FROM (
    SELECT p.position, p.kind, v.*
    FROM (
        SELECT
            publication_id, position, kind,
            CASE WHEN position = %(position)s THEN %(series_id)s::integer ELSE 0 END AS after_series,
            CASE WHEN position = %(position)s THEN %(start)s::timestamptz ELSE '-infinity' END AS after_start,
            CASE WHEN position = %(position)s THEN %(revision)s::integer ELSE 0 END AS after_revision
        FROM smartpark.publication
        WHERE position >= %(position)s AND position <= %(upper)s
            AND (%(parks)s::text[] IS NULL OR park IS NULL OR park = ANY(%(parks)s::text[]))
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
            JOIN smartpark.submission_row AS r ON r.code = b.code
            JOIN smartpark.indicator_value AS v
                ON v.series_id = r.series_id AND v.start = r.start AND v.revision = r.revision
            WHERE p.kind = 'seal' AND b.publication_id = p.publication_id
                AND (r.series_id, r.start, r.revision) > (p.after_series, p.after_start, p.after_revision)
            ORDER BY r.series_id, r.start, r.revision
            LIMIT %(examine)s
        )
    ) AS v
    ORDER BY p.position, v.series_id, v.start, v.revision
    LIMIT %(examine)s
) AS e;

-- aggregate_corrected_beyond --
-- Numbers of which something was published that `upper` does not reach, or that has no position yet.
SELECT DISTINCT n.series_id, n.start
FROM smartpark.publication AS q
JOIN smartpark.indicator_value AS n USING (publication_id)
WHERE (q.position IS NULL OR q.position > %(upper)s) AND n.series_id = ANY(%(series)s::integer[]);

-- aggregate_followed --
-- Of these revisions those that another one follows which `upper` reaches.
SELECT g.place::integer - 1
FROM unnest(%(series)s::integer[], %(starts)s::timestamptz[], %(revisions)s::integer[])
    WITH ORDINALITY AS g (series_id, start, revision, place)
WHERE EXISTS (
    SELECT FROM smartpark.indicator_value AS n
    JOIN smartpark.publication AS q USING (publication_id)
    WHERE n.series_id = g.series_id AND n.start = g.start AND n.revision > g.revision AND q.position <= %(upper)s
);

-- aggregate_sealed --
-- Revisions of these numbers that were submitted, as far as `upper` reaches.
SELECT r.series_id, r.start, r.revision
FROM smartpark.submission_row AS r
JOIN smartpark.submission AS b USING (code)
JOIN smartpark.publication AS q USING (publication_id)
WHERE r.series_id = ANY(%(series)s::integer[]) AND r.start >= %(first)s::timestamptz AND r.start <= %(last)s::timestamptz
    AND q.position <= %(upper)s;

-- aggregate_series --
-- Names of these series, of those that are asked for.
SELECT
    s.series_id, s.park, s.boundary, s.indicator, s.grain, k.region, nullif(e.uscc, '')
FROM smartpark.indicator_series AS s
JOIN smartpark.park AS k ON k.code = s.park
LEFT JOIN smartpark.enterprise AS e ON e.park = s.park AND s.boundary = 'enterprise/' || e.code
WHERE s.series_id = ANY(%(ids)s::integer[])
    AND (%(parks)s::text[] IS NULL OR s.park = ANY(%(parks)s::text[]))
    AND (
        %(boundaries)s::text[] IS NULL OR split_part(s.boundary, '/', 1) = ANY(%(boundaries)s::text[])
        OR s.boundary = ANY(%(boundaries)s::text[])
    )
    AND (%(indicators)s::text[] IS NULL OR s.indicator = ANY(%(indicators)s::text[]))
    AND (%(grains)s::text[] IS NULL OR s.grain = ANY(%(grains)s::text[]));

-- aggregate_origins --
SELECT origin_id, unit, method, factor_set, factors, reason
FROM smartpark.indicator_origin WHERE origin_id = ANY(%(ids)s::integer[]);

-- publication_tokens --
SELECT position, token FROM smartpark.publication WHERE position = ANY(%(positions)s::bigint[]);

-- submission_codes --
SELECT p.position, b.code
FROM smartpark.submission AS b JOIN smartpark.publication AS p USING (publication_id)
WHERE p.position = ANY(%(positions)s::bigint[]);

-- aggregate_packed --
-- Goes on where `picked` was defined: its rows in one piece (see packing.py).
SELECT string_agg(
    int8send(v.position) || int4send(v.series_id) || timestamptz_send(v.start) || int4send(v.revision)
    || int4send(v.origin_id) || float8send(coalesce(v.value, 'NaN')) || float8send(coalesce(v.numerator, 'NaN'))
    || float8send(coalesce(v.denominator, 'NaN')) || float8send(coalesce(v.uncertainty, 'NaN'))
    || float4send(v.completeness) || float4send(v.estimated_share) || timestamptz_send(v.computed_at)
    || boolsend(v.is_sealed) || boolsend(v.superseded_at IS NOT NULL), ''::bytea
) AS packed
FROM picked AS v;

-- aggregate_state_series --
SELECT s.series_id, s.park, s.boundary, s.indicator, s.grain
FROM smartpark.indicator_series AS s
WHERE (%(parks)s::text[] IS NULL OR s.park = ANY(%(parks)s::text[]))
    AND (split_part(s.boundary, '/', 1) = ANY(%(boundaries)s::text[]) OR s.boundary = ANY(%(boundaries)s::text[]))
    AND (%(indicators)s::text[] IS NULL OR s.indicator = ANY(%(indicators)s::text[]))
    AND (%(grains)s::text[] IS NULL OR s.grain = ANY(%(grains)s::text[]));

-- aggregate_state --
-- Of each number the revision that held at a position.
WITH picked AS (
    SELECT v.*, p.position, false AS is_sealed
    FROM smartpark.indicator_value AS v
    JOIN smartpark.publication AS p USING (publication_id)
    WHERE v.series_id = ANY(%(series)s::integer[]) AND p.position <= %(upper)s
        AND v.start >= %(since)s::timestamptz AND v.start < %(until)s::timestamptz
        AND (
            v.superseded_at IS NULL
            OR NOT EXISTS (
                SELECT FROM smartpark.indicator_value AS n
                JOIN smartpark.publication AS q USING (publication_id)
                WHERE n.series_id = v.series_id AND n.start = v.start AND n.revision > v.revision
                    AND q.position <= %(upper)s
            )
        )
)

-- park_to_seal --
SELECT region, source, (SELECT instance FROM smartpark.instance) FROM smartpark.park WHERE code = %(park)s;

-- hold_rows_to_seal --
-- Current rows of a period, which nobody supersedes until we are done.
SELECT v.series_id, v.revision
FROM smartpark.indicator_value AS v
JOIN smartpark.indicator_series AS s USING (series_id)
WHERE s.park = %(park)s AND s.grain = %(grain)s AND v.start = %(start)s AND v.superseded_at IS NULL
    AND split_part(s.boundary, '/', 1) = ANY(%(boundaries)s::text[])
ORDER BY v.series_id
FOR NO KEY UPDATE OF v;

-- rows_to_seal --
WITH picked AS (
    SELECT v.*, 0::bigint AS position, false AS is_sealed
    FROM smartpark.indicator_value AS v
    JOIN smartpark.indicator_series AS s USING (series_id)
    WHERE s.park = %(park)s AND s.grain = %(grain)s AND v.start = %(start)s AND v.superseded_at IS NULL
        AND split_part(s.boundary, '/', 1) = ANY(%(boundaries)s::text[])
)

-- last_submission --
SELECT sequence, encode(digest, 'hex'), code FROM smartpark.submission
WHERE park = %(park)s AND grain = %(grain)s AND start = %(start)s
ORDER BY sequence DESC LIMIT 1;

-- insert_submission --
WITH publication AS (
    INSERT INTO smartpark.publication (kind, park) VALUES ('seal', %(park)s) RETURNING publication_id
)
INSERT INTO smartpark.submission (
    code, park, grain, start, sequence, rows, digest, manifest, signature, key_id, sealed_by, sealed_at, note,
    publication_id
)
SELECT
    %(code)s, %(park)s, %(grain)s, %(start)s, %(sequence)s, %(rows)s, decode(%(digest)s, 'hex'), %(manifest)s,
    %(signature)s, %(key_id)s, %(sealed_by)s, %(sealed_at)s, %(note)s, publication_id
FROM publication;

-- insert_submission_rows --
INSERT INTO smartpark.submission_row (code, series_id, start, revision)
SELECT %(code)s, series_id, timestamptz 'epoch' + start_us * INTERVAL '1 microsecond', revision
FROM unnest(%(series_id)s::integer[], %(start_us)s::bigint[], %(revision)s::integer[])
    AS given (series_id, start_us, revision);

-- submissions --
SELECT
    b.code, b.park, b.grain, b.start, b.sequence, b.rows, encode(b.digest, 'hex') AS digest, b.manifest, b.signature,
    b.key_id, b.sealed_by, b.sealed_at, b.note, p.position
FROM smartpark.submission AS b
JOIN smartpark.publication AS p USING (publication_id)

-- submission_of_code --
WHERE b.code = %(code)s;

-- submissions_after --
WHERE p.position > %(position)s AND p.position <= %(upper)s
    AND (%(parks)s::text[] IS NULL OR b.park = ANY(%(parks)s::text[]))
ORDER BY p.position
LIMIT %(limit)s;

-- submission_rows --
WITH picked AS (
    SELECT v.*, p.position, true AS is_sealed
    FROM smartpark.submission AS b
    JOIN smartpark.publication AS p USING (publication_id)
    JOIN smartpark.submission_row AS r ON r.code = b.code
    JOIN smartpark.indicator_value AS v
        ON v.series_id = r.series_id AND v.start = r.start AND v.revision = r.revision
    WHERE b.code = %(code)s
)

-- known_submissions --
SELECT code FROM smartpark.submission WHERE code = ANY(%(codes)s::text[]);

-- put_seal_key --
INSERT INTO smartpark.seal_key (key_id, public_key, source, known_since)
VALUES (%(key_id)s, %(public_key)s, %(source)s, %(known_since)s)
ON CONFLICT DO NOTHING;

-- seal_keys --
SELECT key_id, public_key, source, known_since, retired_at FROM smartpark.seal_key
WHERE source IS NOT DISTINCT FROM %(source)s
ORDER BY known_since, key_id;

-- seal_key_of_id --
SELECT key_id, public_key, source, known_since, retired_at FROM smartpark.seal_key WHERE key_id = %(key_id)s;

-- retire_seal_key --
UPDATE smartpark.seal_key SET retired_at = %(at)s WHERE key_id = %(key_id)s AND retired_at IS NULL;

-- put_source --
INSERT INTO smartpark.aggregate_source AS a (source, url, instance, added_at)
VALUES (%(source)s, %(url)s, %(instance)s, %(at)s)
ON CONFLICT (source) DO UPDATE SET url = excluded.url WHERE a.url <> excluded.url AND a.instance = excluded.instance;

-- sources --
SELECT source, url, instance, cursor, rows, added_at, pulled_at, complete_at, error, error_at
FROM smartpark.aggregate_source
WHERE %(source)s::text IS NULL OR source = %(source)s
ORDER BY source;

-- hold_source --
SELECT source FROM smartpark.aggregate_source WHERE source = %(source)s FOR UPDATE;

-- keep_cursor_of_source --
UPDATE smartpark.aggregate_source
SET cursor = %(cursor)s, rows = rows + %(rows)s, pulled_at = %(at)s,
    complete_at = CASE WHEN %(complete)s THEN %(at)s ELSE complete_at END, error = '', error_at = NULL
WHERE source = %(source)s;

-- count_rows_of_source --
UPDATE smartpark.aggregate_source SET rows = rows + %(rows)s WHERE source = %(source)s;

-- note_source_error --
UPDATE smartpark.aggregate_source
SET error = %(error)s, error_at = CASE WHEN %(error)s = '' THEN NULL ELSE %(at)s::timestamptz END
WHERE source = %(source)s;

-- reset_source_cursor --
UPDATE smartpark.aggregate_source SET cursor = '', complete_at = NULL WHERE source = %(source)s;

-- sources_of_parks --
SELECT code, source FROM smartpark.park WHERE code = ANY(%(parks)s::text[]);

-- park_identities --
SELECT code, name, name_en, region, terrain, peer_class, area_mu, time_zone, electricity_factor_scope, retired_at
FROM smartpark.park WHERE %(parks)s::text[] IS NULL OR code = ANY(%(parks)s::text[]) ORDER BY code;

-- sub_park_identities --
SELECT park, code, name, name_en, area_mu, terrain, retired_at
FROM smartpark.sub_park WHERE %(parks)s::text[] IS NULL OR park = ANY(%(parks)s::text[]) ORDER BY park, code;

-- enterprise_identities --
SELECT park, code, name, name_en, uscc, sub_park, is_above_scale, industry, area_mu, retired_at
FROM smartpark.enterprise WHERE %(parks)s::text[] IS NULL OR park = ANY(%(parks)s::text[]) ORDER BY park, code;

-- put_park_identities --
INSERT INTO smartpark.park AS k (
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, electricity_factor_scope, retired_at, source
)
SELECT
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, electricity_factor_scope, retired_at,
    %(source)s
FROM jsonb_populate_recordset(NULL::smartpark.park, %(rows)s::jsonb)
ON CONFLICT (code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, region = excluded.region, terrain = excluded.terrain,
    peer_class = excluded.peer_class, area_mu = excluded.area_mu, time_zone = excluded.time_zone,
    electricity_factor_scope = excluded.electricity_factor_scope, retired_at = excluded.retired_at
WHERE k.source = excluded.source
    AND (k.name, k.name_en, k.region, k.terrain, k.peer_class, k.area_mu, k.time_zone, k.electricity_factor_scope,
        k.retired_at)
    IS DISTINCT FROM
        (excluded.name, excluded.name_en, excluded.region, excluded.terrain, excluded.peer_class, excluded.area_mu,
        excluded.time_zone, excluded.electricity_factor_scope, excluded.retired_at);

-- put_sub_park_identities --
INSERT INTO smartpark.sub_park AS k (park, code, name, name_en, area_mu, terrain, retired_at)
SELECT park, code, name, name_en, area_mu, terrain, retired_at
FROM jsonb_populate_recordset(NULL::smartpark.sub_park, %(rows)s::jsonb)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, area_mu = excluded.area_mu, terrain = excluded.terrain,
    retired_at = excluded.retired_at
WHERE (k.name, k.name_en, k.area_mu, k.terrain, k.retired_at)
    IS DISTINCT FROM (excluded.name, excluded.name_en, excluded.area_mu, excluded.terrain, excluded.retired_at);

-- put_enterprise_identities --
INSERT INTO smartpark.enterprise AS k (
    park, code, name, name_en, uscc, sub_park, is_above_scale, industry, area_mu, retired_at
)
SELECT park, code, name, name_en, uscc, sub_park, is_above_scale, industry, area_mu, retired_at
FROM jsonb_populate_recordset(NULL::smartpark.enterprise, %(rows)s::jsonb)
ON CONFLICT (park, code) DO UPDATE SET
    name = excluded.name, name_en = excluded.name_en, uscc = excluded.uscc, sub_park = excluded.sub_park,
    is_above_scale = excluded.is_above_scale, industry = excluded.industry, area_mu = excluded.area_mu,
    retired_at = excluded.retired_at
WHERE (k.name, k.name_en, k.uscc, k.sub_park, k.is_above_scale, k.industry, k.area_mu, k.retired_at)
    IS DISTINCT FROM (excluded.name, excluded.name_en, excluded.uscc, excluded.sub_park, excluded.is_above_scale,
        excluded.industry, excluded.area_mu, excluded.retired_at);

-- given_pulled --
-- Rows of a page, each once; statements about them go on from here.
WITH given AS MATERIALIZED (
    SELECT
        series_id, timestamptz 'epoch' + start_us * INTERVAL '1 microsecond' AS start, revision, origin_id, value,
        numerator, denominator, uncertainty, completeness, estimated_share,
        timestamptz 'epoch' + computed_at_us * INTERVAL '1 microsecond' AS computed_at
    FROM unnest(
        %(series_id)s::integer[], %(start_us)s::bigint[], %(revision)s::integer[], %(origin_id)s::integer[],
        %(value)s::float8[], %(numerator)s::float8[], %(denominator)s::float8[], %(uncertainty)s::float8[],
        %(completeness)s::real[], %(estimated_share)s::real[], %(computed_at_us)s::bigint[]
    ) AS given (
        series_id, start_us, revision, origin_id, value, numerator, denominator, uncertainty, completeness,
        estimated_share, computed_at_us
    )
)

-- pulled_conflict --
SELECT s.park, s.boundary, s.indicator, s.grain, v.start, v.revision
FROM given AS g
JOIN smartpark.indicator_value AS v USING (series_id, start, revision)
JOIN smartpark.indicator_series AS s USING (series_id)
WHERE (g.origin_id, g.value, g.numerator, g.denominator, g.uncertainty, g.completeness, g.estimated_share,
        g.computed_at)
    IS DISTINCT FROM (v.origin_id, v.value, v.numerator, v.denominator, v.uncertainty, v.completeness,
        v.estimated_share, v.computed_at)
LIMIT 1;

-- supersede_by_pulled --
-- A revision held until the next one that we know was computed.
UPDATE smartpark.indicator_value AS v
SET superseded_at = passed.computed_at
FROM (
    SELECT DISTINCT ON (old.series_id, old.start) old.series_id, old.start, old.revision, g.computed_at
    FROM given AS g
    JOIN smartpark.indicator_value AS old
        ON old.series_id = g.series_id AND old.start = g.start AND old.superseded_at IS NULL
    WHERE old.revision < g.revision
    ORDER BY old.series_id, old.start, g.revision
) AS passed
WHERE v.series_id = passed.series_id AND v.start = passed.start AND v.revision = passed.revision;

-- insert_pulled --
, fresh AS MATERIALIZED (
    SELECT s.park, g.*, CASE WHEN known.revision < g.next_revision OR g.next_revision IS NULL
        THEN known.computed_at ELSE g.next_computed_at END AS superseded_at
    FROM (
        SELECT
            *, lead(revision) OVER one_number AS next_revision, lead(computed_at) OVER one_number AS next_computed_at
        FROM given
        WINDOW one_number AS (PARTITION BY series_id, start ORDER BY revision)
    ) AS g
    JOIN smartpark.indicator_series AS s USING (series_id)
    LEFT JOIN LATERAL (
        SELECT n.revision, n.computed_at FROM smartpark.indicator_value AS n
        WHERE n.series_id = g.series_id AND n.start = g.start AND n.revision > g.revision
        ORDER BY n.revision LIMIT 1
    ) AS known ON true
    WHERE NOT EXISTS (
        SELECT FROM smartpark.indicator_value AS v
        WHERE v.series_id = g.series_id AND v.start = g.start AND v.revision = g.revision
    )
),
publication AS (
    INSERT INTO smartpark.publication (kind, park)
    SELECT DISTINCT 'values', park FROM fresh
    RETURNING publication_id, park
)
INSERT INTO smartpark.indicator_value (
    series_id, origin_id, start, revision, value, numerator, denominator, completeness, estimated_share, uncertainty,
    computed_at, superseded_at, publication_id
)
SELECT
    series_id, origin_id, start, revision, value, numerator, denominator, completeness, estimated_share, uncertainty,
    computed_at, superseded_at, publication_id
FROM fresh JOIN publication USING (park);

-- forget_pulled --
-- All that was pulled from a source, but for what was submitted: that is kept whatever becomes of its source.
DELETE FROM smartpark.indicator_value AS v
USING smartpark.indicator_series AS s JOIN smartpark.park AS k ON k.code = s.park
WHERE s.series_id = v.series_id AND k.source = %(source)s
    AND NOT EXISTS (
        SELECT FROM smartpark.submission_row AS r
        WHERE r.series_id = v.series_id AND r.start = v.start AND r.revision = v.revision
    );

-- begin_another_history --
-- Cursors that were given until now are of a history that is no more.
UPDATE smartpark.publication SET token = gen_random_uuid() WHERE position IS NOT NULL;

-- forget_cursor_of_source --
UPDATE smartpark.aggregate_source SET cursor = '', rows = 0, complete_at = NULL WHERE source = %(source)s;

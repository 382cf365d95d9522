-- Uplinks: what is to be told to platforms elsewhere, in whose hand it is, and what they have acknowledged.

-- put_uplink --
-- One name is one kind for good: a queue of one protocol means nothing to another.
INSERT INTO smartpark.uplink AS u (name, kind) VALUES (%(name)s, %(kind)s)
ON CONFLICT (name) DO UPDATE SET kind = u.kind
RETURNING kind, state;

-- keep_uplink_state --
UPDATE smartpark.uplink SET state = %(state)s WHERE name = %(name)s AND state <> %(state)s;

-- note_uplink_trouble --
UPDATE smartpark.uplink
SET trouble = %(trouble)s, trouble_since = CASE WHEN %(trouble)s <> '' THEN coalesce(trouble_since, %(now)s) END
WHERE name = %(name)s AND trouble <> %(trouble)s;

-- hold_uplink --
UPDATE smartpark.uplink
SET holder = %(holder)s, held_until = %(until)s
WHERE name = %(name)s AND (holder IS NULL OR holder = %(holder)s OR held_until <= %(now)s);

-- release_uplink --
UPDATE smartpark.uplink SET holder = NULL, held_until = NULL WHERE name = %(name)s AND holder = %(holder)s;

-- uplink_due --
-- Current numbers of periods that have ended, which the queue does not know in this revision and form.
SELECT
    w.item, w.packet, w.form, s.series_id, s.park, s.boundary, s.indicator, s.grain, v.start, v.revision, v.value,
    v.numerator, v.denominator, o.unit, v.completeness::float8 AS completeness,
    v.estimated_share::float8 AS estimated_share, o.reason, v.computed_at, q.known_digest
FROM unnest(
    %(item)s::text[], %(packet)s::text[], %(form)s::text[], %(park)s::text[], %(boundary)s::text[],
    %(indicator)s::text[], %(grain)s::text[], %(before)s::timestamptz[]
) AS w (item, packet, form, park, boundary, indicator, grain, before)
JOIN smartpark.indicator_series AS s USING (park, boundary, indicator, grain)
JOIN smartpark.indicator_value AS v
    ON v.series_id = s.series_id AND v.superseded_at IS NULL AND v.start >= %(since)s AND v.start < w.before
JOIN smartpark.indicator_origin AS o USING (origin_id)
LEFT JOIN smartpark.uplink_item AS q ON q.uplink = %(uplink)s AND q.item = w.item AND q.start = v.start
WHERE v.computed_at <= %(settled)s
    AND (q.item IS NULL OR q.revision <> v.revision OR q.form <> w.form OR q.series_id <> s.series_id)
ORDER BY v.start, w.item
LIMIT %(limit)s;

-- queue_uplink_items --
-- What says the same as the platform knows already counts as acknowledged. A queue that lagged never goes back.
INSERT INTO smartpark.uplink_item AS q (
    uplink, item, start, grain, packet, series_id, revision, form, digest, withheld, queued_at, next_at
)
SELECT
    %(uplink)s, d.item, d.start, d.grain, d.packet, d.series_id, d.revision, d.form, d.digest, d.withheld, %(now)s,
    %(now)s
FROM unnest(
    %(item)s::text[], %(start)s::timestamptz[], %(grain)s::text[], %(packet)s::text[], %(series_id)s::integer[],
    %(revision)s::integer[], %(form)s::text[], %(digest)s::text[], %(withheld)s::text[]
) AS d (item, start, grain, packet, series_id, revision, form, digest, withheld)
ON CONFLICT (uplink, item, start) DO UPDATE SET
    grain = excluded.grain, packet = excluded.packet, series_id = excluded.series_id, revision = excluded.revision,
    form = excluded.form, digest = excluded.digest, withheld = excluded.withheld, queued_at = excluded.queued_at,
    acknowledged_at = CASE WHEN excluded.withheld = '' AND excluded.digest = q.known_digest
        THEN coalesce(q.acknowledged_at, excluded.queued_at) END,
    attempts = 0, refusals = 0, next_at = excluded.next_at, error = ''
WHERE q.series_id <> excluded.series_id OR q.form <> excluded.form OR q.revision < excluded.revision;

-- sendable_uplink_items --
-- Oldest first; of each grain only what may be told by now, and nothing that was queued under other settings.
SELECT
    q.item, q.start, q.grain, q.packet, q.revision, q.form, q.digest, q.attempts, q.refusals,
    q.known_digest IS NOT NULL AS is_correction, s.park, s.boundary, s.indicator, v.value, v.numerator, v.denominator,
    o.unit, v.completeness::float8 AS completeness, v.estimated_share::float8 AS estimated_share
FROM smartpark.uplink_item AS q
JOIN unnest(%(grain)s::text[], %(before)s::timestamptz[]) AS ready (grain, before)
    ON ready.grain = q.grain AND q.start < ready.before
JOIN unnest(%(item)s::text[], %(form)s::text[]) AS told (item, form) USING (item, form)
JOIN smartpark.indicator_series AS s USING (series_id)
JOIN smartpark.indicator_value AS v USING (series_id, start, revision)
JOIN smartpark.indicator_origin AS o USING (origin_id)
WHERE q.uplink = %(uplink)s AND q.acknowledged_at IS NULL AND q.withheld = '' AND q.next_at <= %(now)s
    AND q.start >= %(start_from)s AND q.start < %(start_before)s
ORDER BY q.start, q.packet, q.item
LIMIT %(limit)s;

-- uplink_packet --
-- All items of a packet and start that may be told, whether or not they were: for protocols that tell a packet whole.
SELECT
    q.item, q.start, q.grain, q.packet, q.revision, q.form, q.digest, q.attempts, q.refusals,
    q.known_digest IS NOT NULL AS is_correction, s.park, s.boundary, s.indicator, v.value, v.numerator, v.denominator,
    o.unit, v.completeness::float8 AS completeness, v.estimated_share::float8 AS estimated_share
FROM smartpark.uplink_item AS q
JOIN unnest(%(item)s::text[], %(form)s::text[]) AS told (item, form) USING (item, form)
JOIN smartpark.indicator_series AS s USING (series_id)
JOIN smartpark.indicator_value AS v USING (series_id, start, revision)
JOIN smartpark.indicator_origin AS o USING (origin_id)
WHERE q.uplink = %(uplink)s AND q.packet = %(packet)s AND q.start = %(start)s AND q.withheld = ''
ORDER BY q.item;

-- mark_uplink_items_sent --
-- From here until an answer nobody knows what the platform knows: not even the number of before counts as known.
UPDATE smartpark.uplink_item AS q
SET attempts = q.attempts + 1, sent_at = %(now)s, known_digest = CASE WHEN q.known_digest IS NOT NULL THEN '' END
FROM unnest(%(item)s::text[], %(start)s::timestamptz[], %(revision)s::integer[]) AS d (item, start, revision)
WHERE q.uplink = %(uplink)s AND q.item = d.item AND q.start = d.start AND q.revision = d.revision;

-- acknowledge_uplink_items --
-- Only what was told: a revision that was queued in between stays to be told.
UPDATE smartpark.uplink_item AS q
SET
    acknowledged_at = CASE WHEN q.digest = d.digest THEN %(now)s ELSE q.acknowledged_at END,
    known_digest = d.digest, error = '', refusals = 0
FROM unnest(%(item)s::text[], %(start)s::timestamptz[], %(digest)s::text[]) AS d (item, start, digest)
WHERE q.uplink = %(uplink)s AND q.item = d.item AND q.start = d.start;

-- put_off_uplink_items --
UPDATE smartpark.uplink_item AS q
SET refusals = q.refusals + 1, next_at = d.next_at, error = d.error
FROM unnest(
    %(item)s::text[], %(start)s::timestamptz[], %(revision)s::integer[], %(next_at)s::timestamptz[], %(error)s::text[]
) AS d (item, start, revision, next_at, error)
WHERE q.uplink = %(uplink)s AND q.item = d.item AND q.start = d.start AND q.revision = d.revision
    AND q.acknowledged_at IS NULL;

-- forget_uplink_items --
-- Both bounds, lest what is forgotten be found due again.
DELETE FROM smartpark.uplink_item
WHERE uplink = %(uplink)s AND start < %(start_before)s
    AND (acknowledged_at < %(settled_before)s OR withheld <> '' AND queued_at < %(settled_before)s);

-- uplink_overviews --
SELECT
    u.name, u.kind, u.state, u.trouble, u.trouble_since, u.holder, u.held_until,
    count(q.item) FILTER (WHERE q.acknowledged_at IS NOT NULL)::integer AS acknowledged,
    count(q.item) FILTER (WHERE q.acknowledged_at IS NULL AND q.withheld = '')::integer AS waiting,
    count(q.item) FILTER (WHERE q.acknowledged_at IS NULL AND q.withheld = '' AND q.refusals > 0)::integer AS refused,
    count(q.item) FILTER (WHERE q.withheld <> '')::integer AS withheld,
    min(q.start) FILTER (WHERE q.acknowledged_at IS NULL AND q.withheld = '') AS oldest_waiting,
    max(q.acknowledged_at) AS newest_acknowledged,
    coalesce((array_agg(q.error ORDER BY q.sent_at DESC NULLS LAST) FILTER (WHERE q.error <> ''))[1], '')
        AS newest_error
FROM smartpark.uplink AS u
LEFT JOIN smartpark.uplink_item AS q ON q.uplink = u.name
WHERE %(name)s::text IS NULL OR u.name = %(name)s
GROUP BY u.name
ORDER BY u.name;

-- uplink_withheld --
SELECT item, withheld, count(*)::integer AS periods, min(start) AS oldest, max(start) AS newest
FROM smartpark.uplink_item
WHERE uplink = %(uplink)s AND withheld <> ''
GROUP BY item, withheld
ORDER BY max(start) DESC, item, withheld
LIMIT %(limit)s;

-- uplink_coverage --
-- Of the periods that began in a span: how many the queue knows of how many items, and how many the platform took.
SELECT
    grain, count(DISTINCT item)::integer AS items, min(start) AS oldest, count(*)::integer AS queued,
    count(acknowledged_at)::integer AS acknowledged, count(*) FILTER (WHERE withheld <> '')::integer AS withheld
FROM smartpark.uplink_item
WHERE uplink = %(uplink)s AND start >= %(start)s AND start < %(end)s
GROUP BY grain
ORDER BY grain;

-- retire_uplink_items --
-- Waits for nobody any more; with its form gone it is compared anew when the settings name it again.
UPDATE smartpark.uplink_item
SET withheld = 'not in the settings any more', form = ''
WHERE uplink = %(uplink)s AND acknowledged_at IS NULL AND withheld = '' AND item <> ALL(%(item)s::text[]);

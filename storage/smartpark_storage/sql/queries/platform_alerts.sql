-- What a monitor told of the platform itself.

-- platform_turn --
-- One message at a time: they are few, and two about the same events would wait for each other.
SELECT pg_advisory_xact_lock(7262030);

-- platform_hear --
-- New events, and what is news of those on record: that it still holds, or that it is over. What is over stays over.
INSERT INTO smartpark.platform_alert AS p (
    fingerprint, starts_at, ends_at, rule, severity, title, title_en, advice, advice_en, about, value, unit,
    reported_by, first_at, heard_at
)
SELECT
    given.fingerprint, given.starts_at, given.ends_at, given.rule, given.severity, given.title, given.title_en,
    given.advice, given.advice_en, given.about::jsonb, given.value, given.unit, %(by)s, %(at)s, %(at)s
FROM unnest(
    %(fingerprints)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(rules)s::text[],
    %(severities)s::text[], %(titles)s::text[], %(titles_en)s::text[], %(advices)s::text[], %(advices_en)s::text[],
    %(abouts)s::text[], %(values)s::float8[], %(units)s::text[]
) AS given (
    fingerprint, starts_at, ends_at, rule, severity, title, title_en, advice, advice_en, about, value, unit
)
ORDER BY given.fingerprint, given.starts_at
ON CONFLICT (fingerprint, starts_at) DO UPDATE SET
    ends_at = coalesce(p.ends_at, excluded.ends_at),
    value = CASE WHEN p.ends_at IS NULL AND excluded.ends_at IS NULL THEN excluded.value ELSE p.value END,
    heard_at = greatest(p.heard_at, excluded.heard_at);

-- platform_end_older --
-- Of what begins anew, the event before is over, also where nobody said so.
UPDATE smartpark.platform_alert AS p
SET ends_at = newer.starts_at
FROM (
    SELECT given.fingerprint, max(given.starts_at) AS starts_at
    FROM unnest(%(fingerprints)s::text[], %(starts)s::timestamptz[]) AS given (fingerprint, starts_at)
    GROUP BY given.fingerprint
) AS newer
WHERE p.fingerprint = newer.fingerprint AND p.starts_at < newer.starts_at AND p.ends_at IS NULL;

-- platform_untold --
-- Events of some fingerprints of which people are still to be told: that they hold, or that they are over.
SELECT
    platform_alert_id, fingerprint, starts_at, ends_at, rule, severity, title, title_en, advice, advice_en, about,
    value, unit, reported_by, first_at, heard_at, told_at, over_told_at, told_to
FROM smartpark.platform_alert
WHERE fingerprint = ANY(%(fingerprints)s::text[])
    AND ((ends_at IS NULL AND told_at IS NULL)
        OR (ends_at IS NOT NULL AND told_at IS NOT NULL AND over_told_at IS NULL))
ORDER BY platform_alert_id
FOR UPDATE;

-- platform_told --
UPDATE smartpark.platform_alert AS p
SET told_at = coalesce(p.told_at, %(at)s),
    over_told_at = CASE WHEN p.ends_at IS NOT NULL THEN %(at)s::timestamptz END,
    told_to = CASE WHEN p.ends_at IS NULL THEN string_to_array(given.contacts, ' ') ELSE p.told_to END
FROM unnest(%(ids)s::bigint[], %(contacts)s::text[]) AS given (platform_alert_id, contacts)
WHERE p.platform_alert_id = given.platform_alert_id;

-- platform_alerts --
-- The newest, those that hold first.
SELECT
    platform_alert_id, fingerprint, starts_at, ends_at, rule, severity, title, title_en, advice, advice_en, about,
    value, unit, reported_by, first_at, heard_at, told_at, over_told_at, told_to
FROM smartpark.platform_alert
WHERE NOT %(holding)s::boolean OR ends_at IS NULL
ORDER BY ends_at IS NOT NULL, starts_at DESC, platform_alert_id DESC
LIMIT %(limit)s;

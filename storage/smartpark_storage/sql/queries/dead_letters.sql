-- Dead letters.

-- list_dead_letters --
SELECT
    dead_letter_id, edge, topic, reason, detail, payload, point_key, reading_time, received_at, replayed_at
FROM smartpark.dead_letter
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s) AND (NOT %(pending)s OR replayed_at IS NULL)
ORDER BY dead_letter_id DESC LIMIT %(limit)s;

-- dead_letters_by_id --
SELECT
    dead_letter_id, edge, topic, reason, detail, payload, point_key, reading_time, received_at, replayed_at
FROM smartpark.dead_letter
WHERE dead_letter_id = ANY(%(ids)s::bigint[])
ORDER BY dead_letter_id;

-- mark_replayed --
UPDATE smartpark.dead_letter SET replayed_at = %(at)s
WHERE dead_letter_id = ANY(%(ids)s::bigint[]) AND replayed_at IS NULL;

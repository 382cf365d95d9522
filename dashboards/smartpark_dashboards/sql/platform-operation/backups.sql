-- How old the last good backup is (by its beginning: what came since is not in it), how large; how old the last good drill,
-- a real restore counting as one; and how many backups of the last seven days were none. Without any on record nothing is
-- known, and no number of failures either: but where the rule platform-no-backup tells of it, -1 stands for none.
SELECT
    coalesce(
        extract(epoch FROM now() - max(time) FILTER (WHERE is_backup AND is_good))::float8,
        CASE WHEN count(*) FILTER (WHERE is_backup) = 0 AND EXISTS (
            SELECT FROM park.indicator
            WHERE grain = 'day' AND time < now() - INTERVAL '3 days' AND time > now() - INTERVAL '40 days'
        ) AND (SELECT migrated_at < now() - INTERVAL '3 days' FROM park.database_state) THEN -1 END
    ) AS good,
    (array_agg(bytes ORDER BY time DESC) FILTER (WHERE is_backup AND is_good))[1] AS bytes,
    extract(epoch FROM now() - max(time) FILTER (WHERE NOT is_backup AND is_good))::float8 AS drill,
    CASE WHEN count(*) FILTER (WHERE is_backup) > 0
        THEN count(*) FILTER (WHERE is_backup AND NOT is_good AND time > now() - INTERVAL '7 days') END AS failed
FROM park.backup_run

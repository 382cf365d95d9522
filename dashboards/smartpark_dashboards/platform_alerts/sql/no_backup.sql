-- Seconds since the last good backup began; where none ever was, since somebody first tried. Where nobody ever tried, since
-- the schema is as it is, once that is three days and a park has numbers of a day as old: a new installation, one just
-- brought up to a schema that records backups, and one without a park have no row.
SELECT extract(epoch FROM now() - coalesce(max(time) FILTER (WHERE is_good), min(time)))::float8 AS value
FROM park.backup_run
WHERE is_backup
HAVING count(*) > 0
UNION ALL
SELECT extract(epoch FROM now() - s.migrated_at)::float8
FROM park.database_state AS s
WHERE NOT EXISTS (SELECT FROM park.backup_run WHERE is_backup) AND s.migrated_at < now() - INTERVAL '3 days'
  AND EXISTS (
      SELECT FROM park.indicator
      WHERE grain = 'day' AND time < now() - INTERVAL '3 days' AND time > now() - INTERVAL '40 days'
  )

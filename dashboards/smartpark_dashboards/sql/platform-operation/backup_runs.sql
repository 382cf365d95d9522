-- Backups, drills and restores, newest first: what came of each, how long it took and how large it is. Of one that was
-- killed nobody knows the end.
SELECT time AS at, kind, outcome, extract(epoch FROM ended_at - time)::float8 AS took, bytes, backup
FROM park.backup_run
ORDER BY time DESC
LIMIT 50

-- What is on record of backups; written by scripts/backup through smartpark.record_backup.

-- read_backups --
SELECT kind, backup, time AS began_at, ended_at, bytes, outcome
FROM park.backup_run
ORDER BY time DESC
LIMIT %(limit)s;

-- backup_newest --
SELECT max(time) FILTER (WHERE is_backup AND is_good), max(time) FILTER (WHERE NOT is_backup AND is_good)
FROM park.backup_run;

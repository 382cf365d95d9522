-- Seconds since the last good backup began; where none ever was, since somebody first tried. Where nobody ever tried there
-- is no row: whoever backs up by other means is not told of it.
SELECT extract(epoch FROM now() - coalesce(max(time) FILTER (WHERE is_good), min(time)))::float8 AS value
FROM park.backup_run
WHERE is_backup
HAVING count(*) > 0

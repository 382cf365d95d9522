-- Dump and manifest of one moment. `\!` says nothing of failure on older psql: the mark it leaves does.
\set ON_ERROR_STOP on
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SMARTPARK_BACKUP_SNAPSHOT :snapshot
\! pg_dump --snapshot="$SMARTPARK_BACKUP_SNAPSHOT" --format=custom --file="$SMARTPARK_BACKUP_WORK/smartpark.dump" && : >"$SMARTPARK_BACKUP_WORK/.dumped"
\i :manifest
COMMIT;

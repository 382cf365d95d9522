-- That somebody backed up, or tried whether a backup comes back; the one thing that the role of backups may write.
\set ON_ERROR_STOP on
SET statement_timeout = '20s';
SELECT smartpark.record_backup(
    :'kind', :'backup', to_timestamp(:'began'::bigint), to_timestamp(nullif(:'ended', '')::bigint),
    nullif(:'bytes', '')::bigint, :'outcome'
);

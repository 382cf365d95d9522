-- One line a table: its name, how many rows, and a digest that does not depend on their order (the sum of 60 bits of
-- MD5 of each row as text). Variables: `output` the file, `counted` names of tables of which no digest is wanted.
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\t'
\o :output

SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS has_timescale \gset

WITH kept AS (
    SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS label
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\_%'
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE '\_timescaledb\_%'
)
SELECT CASE WHEN label = ANY (string_to_array(:'counted', ' '))
    THEN format('SELECT %L, count(*), ''-'' FROM %I.%I', label, nspname, relname)
    ELSE format(
        'SELECT %L, count(*), coalesce(sum((''x'' || left(md5(t::text), 15))::bit(60)::bigint), 0) FROM %I.%I AS t',
        label, nspname, relname)
    END
FROM kept ORDER BY label \gexec

\if :has_timescale
-- What continuous aggregates have written down is data: raw readings of those years may be gone.
SELECT format(
    'SELECT %L, count(*), coalesce(sum((''x'' || left(md5(t::text), 15))::bit(60)::bigint), 0) FROM %I.%I AS t',
    format('%I.%I', view_schema, view_name),
    materialization_hypertable_schema, materialization_hypertable_name)
FROM timescaledb_information.continuous_aggregates ORDER BY view_schema, view_name \gexec
\endif
\o

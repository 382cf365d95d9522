-- Size of the database and of its readings, how much of them is compressed, and how many of TimescaleDB's jobs failed last.
-- Plain PostgreSQL compresses nothing and has no such jobs: there the last two are not known.
SELECT
    database_bytes, reading_bytes, 100.0 * compressed_share AS compressed, failed_jobs
FROM park.database_state

-- Percent of its spool that an agent uses, by its last word within a week.
SELECT code AS agent, (100.0 * spool_bytes / spool_limit_bytes)::float8 AS value
FROM park.edge
WHERE spool_bytes IS NOT NULL AND spool_limit_bytes > 0 AND status_at > now() - INTERVAL '7 days'

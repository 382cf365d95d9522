-- Whom this instance pulls published numbers from: when last, when it last had all there was, and what went wrong last.
SELECT
    source, extract(epoch FROM now() - pulled_at)::float8 AS pulled, extract(epoch FROM now() - complete_at)::float8 AS complete,
    rows, coalesce(error_class, 'none') AS error, error_at
FROM park.pulled_source
ORDER BY pulled_at NULLS FIRST, source
LIMIT 200

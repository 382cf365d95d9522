-- The stages there are, in the order of the process.
SELECT CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS "__text", s.code AS "__value"
FROM (VALUES
    {{stages}}
) AS s (n, code, zh, en)
ORDER BY s.n

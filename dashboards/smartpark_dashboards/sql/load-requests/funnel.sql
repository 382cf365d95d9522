-- How many requests are open at each stage, in the order of the process; a stage without any counts none.
SELECT CASE WHEN '$lang' = 'en' THEN s.en ELSE s.zh END AS stage, count(r.code) AS requests
FROM (VALUES
    {{stages}}
) AS s (n, code, zh, en)
LEFT JOIN park.load_request AS r
    ON r.stage = s.code AND r.park IN ($park) AND r.owner IN ($owner) AND r.outcome IS NULL
WHERE s.code IN ($stage)
GROUP BY s.n, s.zh, s.en
ORDER BY s.n

-- The three there are.
SELECT
    CASE value WHEN 'critical' THEN CASE WHEN '$lang' = 'en' THEN 'critical' ELSE '严重' END
        WHEN 'warning' THEN CASE WHEN '$lang' = 'en' THEN 'warning' ELSE '警告' END
        ELSE CASE WHEN '$lang' = 'en' THEN 'info' ELSE '提示' END END AS "__text",
    value AS "__value"
FROM unnest(ARRAY['critical', 'warning', 'info']) AS value

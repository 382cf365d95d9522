-- Whose turn it can be.
SELECT
    CASE value WHEN 'utility' THEN CASE WHEN '$lang' = 'en' THEN 'utility' ELSE '供电企业' END
        WHEN 'customer' THEN CASE WHEN '$lang' = 'en' THEN 'customer' ELSE '用户' END
        ELSE CASE WHEN '$lang' = 'en' THEN 'government' ELSE '政府部门' END END AS "__text",
    value AS "__value"
FROM unnest(ARRAY['utility', 'customer', 'government']) AS value

-- Those that are judged at stacks.
SELECT
    CASE value WHEN 'so2' THEN CASE WHEN '$lang' = 'en' THEN 'SO2' ELSE '二氧化硫' END
        WHEN 'nox' THEN CASE WHEN '$lang' = 'en' THEN 'NOx' ELSE '氮氧化物' END
        ELSE CASE WHEN '$lang' = 'en' THEN 'dust' ELSE '颗粒物' END END AS "__text",
    value AS "__value"
FROM unnest(ARRAY['so2', 'nox', 'dust']) AS value

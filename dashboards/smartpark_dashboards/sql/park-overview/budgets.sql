-- Used of what this year's budget allows until now, by its newest month that was computed.
SELECT
    CASE i.indicator
        WHEN 'energy_budget_pace' THEN CASE WHEN '$lang' = 'en' THEN 'energy' ELSE '能耗' END
        ELSE CASE WHEN '$lang' = 'en' THEN 'carbon' ELSE '碳排放' END
    END AS budget,
    100.0 * i.value AS pace
FROM (
    SELECT DISTINCT ON (indicator) indicator, value
    FROM park.indicator
    WHERE park = '$park' AND boundary = 'park' AND indicator IN ('energy_budget_pace', 'carbon_budget_pace')
      AND grain = 'month' AND time >= date_trunc('year', now(), 'Asia/Shanghai')
    ORDER BY indicator, time DESC
) AS i
ORDER BY i.indicator DESC

-- Each month by where it comes from; purchased heat is part of scope 2.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'carbon_scope1') AS scope1,
    max(value) FILTER (WHERE indicator = 'carbon_scope2') AS scope2
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'month'
  AND indicator IN ('carbon_scope1', 'carbon_scope2')
GROUP BY time
ORDER BY time

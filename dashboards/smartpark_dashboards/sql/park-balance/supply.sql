-- Where each day's electricity came from, and what left the park.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'electricity_purchased') AS purchased,
    max(value) FILTER (WHERE indicator = 'photovoltaic_self_used') AS self_used,
    -max(value) FILTER (WHERE indicator = 'electricity_exported') AS exported
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN ('electricity_purchased', 'photovoltaic_self_used', 'electricity_exported')
GROUP BY time
ORDER BY time

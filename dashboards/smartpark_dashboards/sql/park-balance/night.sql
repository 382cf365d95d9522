-- Electricity of the quietest hour between midnight and five, each day: what runs when nobody works.
-- An hour of which a part is missing or still to come is low for another reason: such a night has no base.
SELECT
    date_trunc('day', time AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' AS "time", min(value) AS base
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park' AND grain = 'hour'
  AND indicator = 'electricity_consumption' AND extract(hour FROM time AT TIME ZONE 'Asia/Shanghai') < 5
GROUP BY 1
HAVING count(value) FILTER (WHERE completeness >= 1) = 5
ORDER BY 1

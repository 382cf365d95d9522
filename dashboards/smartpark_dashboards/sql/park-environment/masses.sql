-- Emitted by all stacks together, as far as it is known: per hour up to three days, beyond them per day.
SELECT
    time AS "time",
    max(value) FILTER (WHERE indicator = 'so2_mass') AS so2,
    max(value) FILTER (WHERE indicator = 'nox_mass') AS nox,
    max(value) FILTER (WHERE indicator = 'dust_mass') AS dust
FROM park.indicator
WHERE $__timeFilter(time) AND park = '$park' AND boundary = 'park'
  AND indicator IN ('so2_mass', 'nox_mass', 'dust_mass')
  AND grain = CASE WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '3 days' THEN 'hour'
      ELSE 'day' END
GROUP BY time
ORDER BY time

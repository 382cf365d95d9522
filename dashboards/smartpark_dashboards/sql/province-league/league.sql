-- The chosen month of every chosen park beside that of last year. What is not known stays empty and is ranked last. Where
-- a park stands is told among those of its class whose intensity is known, in thirds, when they are three at least. The
-- running month is as complete as what of it is over.
WITH chosen AS (
    -- The beginning of the month, so that its numbers come by the index.
    SELECT CASE WHEN '$month' LIKE '____-__' AND '$month' ~ '[0-9]{4}-(0[1-9]|1[0-2])' THEN ('$month' || '-01')::timestamp END AS first
), month AS (
    SELECT
        park, indicator, value, completeness,
        to_char(time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = '$month' AS is_chosen
    FROM park.indicator
    WHERE park IN ($park) AND boundary = 'park' AND grain = 'month'
      AND indicator IN (
          'comprehensive_energy', 'energy_per_value_added', 'carbon_per_value_added', 'carbon_per_energy',
          'green_power_share'
      )
      AND '$month' IN (
          to_char(time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM'),
          to_char(time AT TIME ZONE 'Asia/Shanghai' + INTERVAL '1 year', 'YYYY-MM')
      )
      AND time >= (SELECT (first - INTERVAL '1 year') AT TIME ZONE 'Asia/Shanghai' FROM chosen)
      AND time < (SELECT (first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' FROM chosen)
), known AS (
    SELECT
        p.code AS park, CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END AS name, p.peer_class,
        max(m.value) FILTER (WHERE m.indicator = 'comprehensive_energy' AND m.is_chosen) AS energy,
        max(m.value) FILTER (WHERE m.indicator = 'energy_per_value_added' AND m.is_chosen) AS intensity,
        max(m.value) FILTER (WHERE m.indicator = 'energy_per_value_added' AND NOT m.is_chosen) AS intensity_ago,
        max(m.value) FILTER (WHERE m.indicator = 'carbon_per_value_added' AND m.is_chosen) AS carbon,
        max(m.value) FILTER (WHERE m.indicator = 'carbon_per_energy' AND m.is_chosen) AS carbon_per_energy,
        max(m.value) FILTER (WHERE m.indicator = 'green_power_share' AND m.is_chosen) AS green,
        max(m.completeness) FILTER (WHERE m.indicator = 'comprehensive_energy' AND m.is_chosen) AS completeness
    FROM park.park AS p
    LEFT JOIN month AS m ON m.park = p.code
    WHERE p.code IN ($park) AND p.retired_at IS NULL
    GROUP BY p.code, p.name, p.name_en, p.peer_class
), judged AS (
    SELECT park, sum(numerator) / nullif(sum(denominator), 0) AS share
    FROM park.indicator
    WHERE park IN ($park) AND boundary LIKE 'device/%' AND grain = 'month'
      AND indicator IN ('so2_in_limit', 'nox_in_limit', 'dust_in_limit')
      AND time >= (SELECT first AT TIME ZONE 'Asia/Shanghai' FROM chosen)
      AND time < (SELECT (first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' FROM chosen)
    GROUP BY park
), energized AS (
    SELECT park, avg((total_used <= total_limit)::integer) AS share
    FROM park.load_request
    WHERE park IN ($park) AND total_limit IS NOT NULL AND $__timeFilter(energized_at)
    GROUP BY park
), ranked AS (
    SELECT
        k.*, count(k.intensity) OVER (PARTITION BY k.peer_class) AS peers,
        ntile(3) OVER (PARTITION BY k.peer_class, k.intensity IS NULL ORDER BY k.intensity, k.park) AS third
    FROM known AS k
)
SELECT
    r.park, r.name, r.peer_class::text AS peer_class, r.energy, r.intensity,
    CASE WHEN r.intensity IS NULL THEN 'unknown' WHEN r.peers < 3 THEN 'alone' ELSE r.third::text END AS third,
    100.0 * (r.intensity / nullif(r.intensity_ago, 0) - 1) AS change, r.carbon, r.carbon_per_energy,
    100.0 * r.green AS green, 100.0 * j.share AS in_limits, 100.0 * e.share AS on_time,
    100.0 * least(r.completeness / nullif(extract(epoch FROM least(c.ended, now()) - c.began) / extract(epoch FROM
        c.ended - c.began), 0), 1) AS completeness
FROM ranked AS r
CROSS JOIN (
    SELECT first AT TIME ZONE 'Asia/Shanghai' AS began, (first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' AS ended
    FROM chosen
) AS c
LEFT JOIN judged AS j ON j.park = r.park
LEFT JOIN energized AS e ON e.park = r.park
ORDER BY r.intensity NULLS LAST, r.park
LIMIT 500

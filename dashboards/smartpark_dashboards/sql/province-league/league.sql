-- The chosen month of every chosen park beside that of last year. What is not known stays empty and is ranked last.
WITH month AS (
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
), now AS (
    SELECT * FROM month WHERE is_chosen
), ago AS (
    SELECT * FROM month WHERE NOT is_chosen
)
SELECT
    p.code AS park, CASE WHEN '$lang' = 'en' THEN p.name_en ELSE p.name END AS name, p.peer_class::text AS peer_class,
    max(n.value) FILTER (WHERE n.indicator = 'comprehensive_energy') AS energy,
    max(n.value) FILTER (WHERE n.indicator = 'energy_per_value_added') AS intensity,
    100.0 * (
        max(n.value) FILTER (WHERE n.indicator = 'energy_per_value_added')
        / nullif((SELECT a.value FROM ago AS a WHERE a.park = p.code AND a.indicator = 'energy_per_value_added'), 0) - 1
    ) AS change,
    max(n.value) FILTER (WHERE n.indicator = 'carbon_per_value_added') AS carbon,
    max(n.value) FILTER (WHERE n.indicator = 'carbon_per_energy') AS carbon_per_energy,
    100.0 * max(n.value) FILTER (WHERE n.indicator = 'green_power_share') AS green,
    100.0 * max(n.completeness) FILTER (WHERE n.indicator = 'comprehensive_energy') AS completeness
FROM park.park AS p
LEFT JOIN now AS n ON n.park = p.code
WHERE p.code IN ($park) AND p.retired_at IS NULL
GROUP BY p.code, p.name, p.name_en, p.peer_class
ORDER BY 5 NULLS LAST, 1
LIMIT 500

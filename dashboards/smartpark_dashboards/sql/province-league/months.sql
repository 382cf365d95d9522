-- Months for which ratios are known, newest first. Where there is none, one that means nothing.
SELECT month AS "__text", month AS "__value"
FROM (
    SELECT DISTINCT to_char(time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month
    FROM park.indicator
    WHERE boundary = 'park' AND grain = 'month' AND indicator = 'comprehensive_energy'
      AND time > now() - INTERVAL '1900 days' AND time < now()
) AS known
UNION ALL
SELECT '—', ''
WHERE NOT EXISTS (
    SELECT FROM park.indicator
    WHERE boundary = 'park' AND grain = 'month' AND indicator = 'comprehensive_energy'
      AND time > now() - INTERVAL '1900 days' AND time < now()
)
ORDER BY 2 DESC

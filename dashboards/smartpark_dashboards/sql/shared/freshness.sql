-- Seconds since the newest reading, and since hours and days of electricity were last computed: of the chosen parks the
-- one that is furthest behind. A park of which there is none is left out.
WITH heard AS (
    SELECT park, max(time) AS at FROM park.latest WHERE park IN ($park) GROUP BY park
), computed AS (
    SELECT
        park, max(computed_at) FILTER (WHERE grain = 'hour') AS hour_at,
        max(computed_at) FILTER (WHERE grain = 'day') AS day_at
    FROM park.indicator
    WHERE park IN ($park) AND boundary = 'park' AND indicator = 'electricity_consumption' AND grain IN ('hour', 'day')
      AND time > now() - INTERVAL '3 days'
    GROUP BY park
)
SELECT
    (SELECT extract(epoch FROM now() - min(at))::float8 FROM heard) AS reading,
    extract(epoch FROM now() - min(hour_at))::float8 AS hour, extract(epoch FROM now() - min(day_at))::float8 AS day
FROM computed

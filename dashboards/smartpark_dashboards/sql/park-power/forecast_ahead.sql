-- The newest forecast, hour by hour from now: what is expected, and what it stays above and below in nine of ten cases.
SELECT extract(epoch FROM time - now())::float8 / 3600 AS ahead, p10_kw AS low, p50_kw AS expected, p90_kw AS high
FROM park.load_forecast
WHERE park = '$park' AND is_latest AND time > now() - INTERVAL '1 hour' AND made_at > now() - INTERVAL '2 days'
ORDER BY 1

-- Highest hour that the newest forecast sees in its first 24, what it may come to in one of ten cases, and when.
SELECT peak_kw AS peak, peak_p90_kw AS high, peak_at AS at
FROM park.load_forecast_run
WHERE park = '$park' AND is_latest AND time > now() - INTERVAL '2 days'

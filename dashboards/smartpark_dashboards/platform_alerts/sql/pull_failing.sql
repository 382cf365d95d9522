-- Seconds since all of a source was there, of sources that were whole or added within 30 days.
SELECT source, extract(epoch FROM now() - coalesce(complete_at, added_at))::float8 AS value
FROM park.pulled_source
WHERE coalesce(complete_at, added_at) > now() - INTERVAL '30 days'

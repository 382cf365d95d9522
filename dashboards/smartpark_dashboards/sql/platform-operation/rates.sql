-- Readings of the last full quarter of an hour, per second; messages set aside in the last hour; agents that are offline.
SELECT
    (SELECT sum(readings + bad_readings)::float8 / 900 FROM park.reading_15m
        WHERE point_id = ANY (ARRAY(SELECT p.point_id FROM park.point AS p))
          AND time >= date_trunc('hour', now()) - INTERVAL '1 hour'
          AND time = to_timestamp(floor(extract(epoch FROM now()) / 900) * 900 - 900)) AS per_second,
    (SELECT count(*) FROM park.dead_letter WHERE time > now() - INTERVAL '1 hour') AS set_aside,
    (SELECT count(*) FROM park.edge WHERE NOT online) AS offline

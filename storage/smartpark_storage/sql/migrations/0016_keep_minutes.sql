-- Minute means of an hour of a gauge, packed: what derive has already read, so that a late reading costs the hour that it
-- touches and not the day. Only a help: a row may be missing, and rows are dropped when they are old. Of one day of a
-- park they are written by the worker that has this day in hand.
CREATE TABLE smartpark.minute_hour (
    hour timestamptz NOT NULL,
    point_id integer NOT NULL,
    -- Sixty doubles as the device gives them, NaN where there is none; no bytes: no reading in this hour.
    means bytea NOT NULL,
    -- Sixty status codes; null: good where there is a mean, and no reading where there is none.
    statuses bytea,
    PRIMARY KEY (hour, point_id)
);
ALTER TABLE smartpark.minute_hour ALTER COLUMN means SET STORAGE PLAIN, ALTER COLUMN statuses SET STORAGE PLAIN;
GRANT SELECT ON smartpark.minute_hour TO smartpark_api, smartpark_ingest;
GRANT INSERT, UPDATE, DELETE ON smartpark.minute_hour TO smartpark_ingest;

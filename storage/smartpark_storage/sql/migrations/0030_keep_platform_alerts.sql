-- What a monitor beside the platform (Grafana) told of the platform itself: one row per event, and who was told of it.
-- What is judged of readings are alerts, and stands in smartpark.alert.

CREATE TABLE smartpark.platform_alert (
    platform_alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- By which the monitor knows it again; with its beginning, one event.
    fingerprint text NOT NULL CHECK (fingerprint <> ''),
    starts_at timestamptz NOT NULL,
    -- Null: it holds, by what was told last.
    ends_at timestamptz,
    rule text NOT NULL CHECK (rule <> ''),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    title text NOT NULL CHECK (title <> ''),
    title_en text NOT NULL,
    advice text NOT NULL,
    advice_en text NOT NULL,
    -- Which thing it is.
    about jsonb NOT NULL CHECK (jsonb_typeof(about) = 'object'),
    value double precision,
    unit text NOT NULL,
    reported_by text NOT NULL CHECK (reported_by <> ''),
    first_at timestamptz NOT NULL,
    -- When the monitor last said so.
    heard_at timestamptz NOT NULL,
    -- When people were told that it holds, and that it is over; to whom. Null: nobody was to be.
    told_at timestamptz,
    over_told_at timestamptz,
    told_to text[] NOT NULL DEFAULT '{}',
    UNIQUE (fingerprint, starts_at)
);
CREATE INDEX platform_alert_open ON smartpark.platform_alert (starts_at) WHERE ends_at IS NULL;
CREATE INDEX platform_alert_newest ON smartpark.platform_alert (starts_at DESC, platform_alert_id DESC);

-- Of no park: for whoever runs all of them.
CALL smartpark.rule('smartpark.platform_alert', '(SELECT smartpark.sees_all(''operation''))');
GRANT SELECT, INSERT, UPDATE (ends_at, value, heard_at, told_at, over_told_at, told_to)
    ON smartpark.platform_alert TO smartpark_api;

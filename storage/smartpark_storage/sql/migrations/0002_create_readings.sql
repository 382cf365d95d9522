-- What was measured, who sent it, and what could not be understood.

-- No unique index: it would cost four fifths of the insert rate. The batch ledger keeps readings single.
CREATE TABLE smartpark.reading (
    time timestamptz NOT NULL,
    point_id integer NOT NULL,
    scaled bigint,
    raw double precision,
    status integer NOT NULL
);
CREATE INDEX reading_point_time ON smartpark.reading (point_id, time DESC);

CREATE TABLE smartpark.latest (
    point_id integer PRIMARY KEY,
    time timestamptz NOT NULL,
    scaled bigint,
    raw double precision,
    status integer NOT NULL,
    received_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE smartpark.edge (
    edge_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    registered_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE smartpark.batch_ledger (
    edge_id integer NOT NULL,
    boot bigint NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (edge_id, boot, sequence)
);

-- Every sequence below the floor has been acknowledged to its edge: known without a row in the ledger.
CREATE TABLE smartpark.batch_floor (
    edge_id integer NOT NULL,
    boot bigint NOT NULL,
    floor bigint NOT NULL,
    PRIMARY KEY (edge_id, boot)
) WITH (fillfactor = 50);

-- Spans of counters that changed and wait for derive; half-open. Insert-only, so that writers never collide.
CREATE TABLE smartpark.stale_mark (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    point_id integer NOT NULL,
    span_start timestamptz NOT NULL,
    span_end timestamptz NOT NULL
);
CREATE INDEX ON smartpark.stale_mark (point_id);

CREATE TABLE smartpark.dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edge text NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    point_key text,
    reading_time timestamptz,
    received_at timestamptz NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX ON smartpark.dead_letter (received_at);

-- The newest word of each edge about itself.
CREATE TABLE smartpark.edge_state (
    edge_id integer PRIMARY KEY REFERENCES smartpark.edge,
    online boolean NOT NULL,
    boot bigint,
    session bigint,
    software text NOT NULL DEFAULT '',
    points integer,
    born_at timestamptz,
    died_at timestamptz,
    status_at timestamptz,
    status jsonb
) WITH (fillfactor = 50);

CREATE TABLE smartpark.edge_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edge_id integer NOT NULL REFERENCES smartpark.edge,
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (event IN ('birth', 'death')),
    boot bigint NOT NULL,
    session bigint NOT NULL
);
CREATE INDEX ON smartpark.edge_event (edge_id, at);

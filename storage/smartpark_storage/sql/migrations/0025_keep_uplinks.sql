-- What is told to platforms elsewhere: each uplink with what its platform said of itself, and a queue that knows of every
-- period of every item which revision is to be told and which one has been acknowledged. No secret stands here: keys and
-- passwords lie in files.

CREATE TABLE smartpark.uplink (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'),
    kind text NOT NULL CHECK (kind <> ''),
    -- What the platform said at registration: device, addresses, upload time, version of its dictionary.
    state jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(state) = 'object'),
    -- One worker at a time: the platform knows one device. A worker that died loses its turn when this is over.
    holder text,
    held_until timestamptz,
    -- Why nothing can be told just now; empty: it can.
    trouble text NOT NULL DEFAULT '',
    trouble_since timestamptz
);

CREATE TABLE smartpark.uplink_item (
    uplink text NOT NULL REFERENCES smartpark.uplink,
    -- What the platform calls it, unique within the uplink, and the start of the period.
    item text NOT NULL CHECK (item <> ''),
    start timestamptz NOT NULL,
    grain text NOT NULL,
    -- Items of one packet and start travel together; empty: each for itself.
    packet text NOT NULL,
    series_id integer NOT NULL REFERENCES smartpark.indicator_series,
    -- Revision that is to be told, and how the settings say to tell it.
    revision integer NOT NULL CHECK (revision >= 1),
    form text NOT NULL,
    -- Of what is to be told; a new revision that says the same is not told again.
    digest text NOT NULL,
    -- Why it is not told: no value, not complete; empty: it is.
    withheld text NOT NULL,
    queued_at timestamptz NOT NULL,
    sent_at timestamptz,
    -- When the platform took what is to be told; null: it has not.
    acknowledged_at timestamptz,
    -- Of what the platform took last, whatever has become of the number since.
    known_digest text,
    attempts integer NOT NULL DEFAULT 0,
    refusals integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (uplink, item, start)
);
CREATE INDEX uplink_item_waiting ON smartpark.uplink_item (uplink, start, item)
    WHERE acknowledged_at IS NULL AND withheld = '';
CREATE INDEX uplink_item_acknowledged ON smartpark.uplink_item (uplink, acknowledged_at);

-- Packets that rest on readings and not on published numbers: whoever tells works out what is to be told, and compares.
CREATE TABLE smartpark.uplink_packet (
    uplink text NOT NULL REFERENCES smartpark.uplink,
    packet text NOT NULL CHECK (packet <> ''),
    start timestamptz NOT NULL,
    -- Of what the platform has acknowledged; empty: it was told, and did not answer.
    digest text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    sent_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    PRIMARY KEY (uplink, packet, start)
);

-- An uplink may serve several parks, as an edge may; an item is of the park whose number it tells.
CALL smartpark.rule('smartpark.uplink', '(SELECT smartpark.sees_all(''operation''))');
CALL smartpark.rule('smartpark.uplink_packet', '(SELECT smartpark.sees_all(''operation''))');
CALL smartpark.rule(
    'smartpark.uplink_item',
    smartpark.of_seen_row(
        'operation',
        'smartpark.indicator_series AS s WHERE s.series_id = uplink_item.series_id AND '
        's.park = ANY ((SELECT smartpark.parks_seen(''operation''))::text[])'
    )
);

GRANT SELECT ON smartpark.uplink, smartpark.uplink_item, smartpark.uplink_packet TO smartpark_api;
GRANT SELECT, INSERT, UPDATE ON smartpark.uplink TO smartpark_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON smartpark.uplink_item, smartpark.uplink_packet TO smartpark_ingest;

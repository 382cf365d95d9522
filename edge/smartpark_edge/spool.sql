-- The spool of one agent: an SQLite file. Its life has a name, `boot`; batches are numbered within it for ever.

-- name: create
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- An alias is bound for ever to a point and its decimal exponent (127: float64), so that old batches stay readable.
CREATE TABLE alias (
    alias     INTEGER PRIMARY KEY,
    point     TEXT NOT NULL,
    measurand TEXT NOT NULL,
    exponent  INTEGER NOT NULL,
    UNIQUE (point, exponent)
);

-- Readings already safe on disk, not yet numbered: small pieces that the next sealing puts together.
CREATE TABLE piece (
    id         INTEGER PRIMARY KEY,
    history    INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    crc        INTEGER NOT NULL,
    body       BLOB NOT NULL
);

-- crc: CRC-32 of what stands beside it. SQLite's own check sees the structure of the file, not a bit that flips in a
-- body; a reading that a disk has altered must not be sent as what a meter said.

-- kind 0: columns of readings; 1: a dead letter. Acknowledged readings stay a while: they are the memory by which
-- a message that a device repeats after a crash is recognised.
CREATE TABLE batch (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       INTEGER NOT NULL,
    history    INTEGER NOT NULL,
    acked      INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    sealed_at  INTEGER NOT NULL,
    crc        INTEGER NOT NULL,
    body       BLOB NOT NULL
);
CREATE INDEX batch_pending ON batch (sequence) WHERE acked = 0;

-- The last few readings of each point whose batches are gone.
CREATE TABLE recent (alias INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL);

CREATE TABLE subscription (source TEXT NOT NULL, topic TEXT NOT NULL, PRIMARY KEY (source, topic)) WITHOUT ROWID;

-- One row: what would otherwise have to be counted by scanning.
CREATE TABLE counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pending_readings INTEGER NOT NULL DEFAULT 0,
    pending_batches  INTEGER NOT NULL DEFAULT 0,
    pending_bytes    INTEGER NOT NULL DEFAULT 0,
    kept_readings    INTEGER NOT NULL DEFAULT 0,
    kept_bytes       INTEGER NOT NULL DEFAULT 0,
    accepted         INTEGER NOT NULL DEFAULT 0,
    duplicates       INTEGER NOT NULL DEFAULT 0,
    dropped          INTEGER NOT NULL DEFAULT 0,
    dropped_letters  INTEGER NOT NULL DEFAULT 0,
    dropped_from     INTEGER,
    dropped_to       INTEGER,
    damaged          INTEGER NOT NULL DEFAULT 0,
    damaged_letters  INTEGER NOT NULL DEFAULT 0,
    damaged_from     INTEGER,
    damaged_to       INTEGER,
    dead_letters     INTEGER NOT NULL DEFAULT 0,
    bytes_per_second REAL
);
INSERT INTO counter (id) VALUES (1);

-- name: set_meta
INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?);

-- name: get_meta
SELECT value FROM meta WHERE key = ?;

-- name: span_pending
SELECT min(first_time), max(last_time) FROM (
    SELECT first_time, last_time FROM batch WHERE acked = 0 AND kind = 0
    UNION ALL
    SELECT first_time, last_time FROM piece
);

-- name: count_pending_letters
SELECT count(*) FROM batch WHERE acked = 0 AND kind = 1;

-- name: aliases
SELECT alias, point, measurand, exponent FROM alias ORDER BY alias;

-- name: add_alias
INSERT INTO alias (alias, point, measurand, exponent) VALUES (?, ?, ?, ?);

-- name: add_piece
INSERT INTO piece (history, count, first_time, last_time, crc, body) VALUES (?, ?, ?, ?, ?, ?);

-- name: pieces
SELECT id, count, first_time, last_time, crc, body FROM piece WHERE history = ? ORDER BY id;

-- name: forget_piece
DELETE FROM piece WHERE id = ?;

-- name: count_pieces
SELECT coalesce(sum(count), 0), coalesce(sum(length(body)), 0) FROM piece WHERE history = ?;

-- name: forget_pieces
DELETE FROM piece WHERE history = ?;

-- name: add_batch
-- The next number, and not below the one where this opening of the file begins.
INSERT INTO batch (sequence, kind, history, acked, count, first_time, last_time, sealed_at, crc, body)
VALUES (
    max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'batch'), 0) + 1, ?),
    ?, ?, 0, ?, ?, ?, ?, ?, ?
);

-- name: pending_in
SELECT sequence, kind, count, length(body) FROM batch WHERE acked = 0 AND sequence BETWEEN ? AND ?;

-- name: keep
UPDATE batch SET acked = 1 WHERE sequence = ?;

-- name: forget
DELETE FROM batch WHERE sequence = ?;

-- name: oldest_kept
SELECT sequence, count, length(body), first_time, last_time, crc, body FROM batch
WHERE acked = 1 AND sequence > ? ORDER BY sequence LIMIT 20;

-- name: oldest_pending
SELECT sequence, kind, count, length(body), first_time, last_time, crc, body FROM batch
WHERE acked = 0 ORDER BY sequence LIMIT 20;

-- name: first_pending
SELECT sequence, first_time FROM batch WHERE acked = 0 ORDER BY sequence LIMIT 1;

-- name: first_piece
SELECT first_time FROM piece ORDER BY id LIMIT 1;

-- name: floor
-- One statement, hence one view of the file: asked in two, a batch sealed in between would lie below its own floor.
SELECT coalesce(
    (SELECT min(sequence) FROM batch WHERE acked = 0),
    (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'batch'),
    1
);

-- name: last_sequence
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'batch'), 0);

-- name: live_after
SELECT sequence, kind, history, count, first_time, last_time, sealed_at, crc, body FROM batch
WHERE acked = 0 AND history = 0 AND sequence > ? ORDER BY sequence LIMIT ?;

-- name: backlog_after
SELECT sequence, kind, history, count, first_time, last_time, sealed_at, crc, body FROM batch
WHERE acked = 0 AND sequence > ? AND (history = 1 OR sequence <= ?) ORDER BY sequence LIMIT ?;

-- name: one_pending
SELECT sequence, kind, history, count, first_time, last_time, sealed_at, crc, body FROM batch WHERE acked = 0 AND sequence = ?;

-- name: pending_letters
SELECT body FROM batch WHERE acked = 0 AND kind = 1 ORDER BY sequence DESC LIMIT ?;

-- name: first_sealed_since
SELECT min(sequence) FROM batch WHERE acked = 0 AND history = 0 AND sequence > ? AND sealed_at >= ?;

-- name: newest_readings
SELECT count, first_time, last_time, crc, body FROM batch WHERE kind = 0 ORDER BY sequence DESC;

-- name: recent
SELECT alias, crc, body FROM recent;

-- name: recent_of
SELECT crc, body FROM recent WHERE alias = ?;

-- name: set_recent
INSERT OR REPLACE INTO recent (alias, crc, body) VALUES (?, ?, ?);

-- name: subscriptions
SELECT source, topic FROM subscription;

-- name: forget_subscriptions
DELETE FROM subscription WHERE source = ?;

-- name: add_subscription
INSERT OR IGNORE INTO subscription (source, topic) VALUES (?, ?);

-- name: counters
SELECT pending_readings, pending_batches, pending_bytes, kept_readings, kept_bytes, accepted, duplicates, dropped,
       dropped_letters, dropped_from, dropped_to, damaged, damaged_letters, damaged_from, damaged_to, dead_letters,
       bytes_per_second FROM counter;

-- name: set_counters
UPDATE counter SET pending_readings = ?, pending_batches = ?, pending_bytes = ?, kept_readings = ?, kept_bytes = ?,
       accepted = ?, duplicates = ?, dropped = ?, dropped_letters = ?, dropped_from = ?, dropped_to = ?,
       damaged = ?, damaged_letters = ?, damaged_from = ?, damaged_to = ?, dead_letters = ?, bytes_per_second = ?;

-- What others pull: every published number, and every seal, belongs to a publication; publications get their numbers in
-- the order in which they were committed. A cursor is such a number, so that a pull misses nothing of writers that were
-- under way, and gets nothing twice.

-- Which history this is: a cursor of another one, or of one that a restore cut short, must not be taken for ours.
CREATE TABLE smartpark.instance (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    instance uuid NOT NULL DEFAULT gen_random_uuid(),
    made_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO smartpark.instance DEFAULT VALUES;

CREATE TABLE smartpark.publication (
    publication_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('values', 'seal')),
    -- Whose numbers, so that whoever sees some parks need not look through those of all; null: of several.
    park text REFERENCES smartpark.park,
    -- Null until it is numbered: an identity is drawn when a writer begins to publish, a position after it committed.
    position bigint UNIQUE CHECK (position >= 1),
    -- Comes with the position, and nobody guesses it: after a restore another one stands at the same position.
    token uuid CHECK ((token IS NULL) = (position IS NULL)),
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX publication_unnumbered ON smartpark.publication (publication_id) WHERE position IS NULL;

-- Numbers all publications that are committed and have none. One at a time: whoever numbers holds a lock until its own
-- commit, so positions become visible in their order. Returns how many; null: somebody else is numbering right now.
CREATE FUNCTION smartpark.number_publications(may_wait boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    numbered bigint;
BEGIN
    IF may_wait THEN
        PERFORM pg_advisory_xact_lock(7262004);
    ELSIF NOT pg_try_advisory_xact_lock(7262004) THEN
        RETURN NULL;
    END IF;
    -- A statement of its own, and so a snapshot of its own: it sees what was committed before the lock was ours.
    WITH newest AS (SELECT coalesce(max(position), 0) AS position FROM smartpark.publication),
    waiting AS (
        SELECT publication_id, row_number() OVER (ORDER BY publication_id) AS place
        FROM smartpark.publication WHERE position IS NULL
    )
    UPDATE smartpark.publication AS p
    SET position = newest.position + waiting.place, token = gen_random_uuid()
    FROM waiting, newest
    WHERE p.publication_id = waiting.publication_id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END $$;
REVOKE ALL ON FUNCTION smartpark.number_publications(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smartpark.number_publications(boolean) TO smartpark_api, smartpark_ingest;

-- All that has been published until now is the first publication. No foreign key: values are written by the hundred
-- thousand, always with a publication of the same transaction, and publications are never removed.
INSERT INTO smartpark.publication (kind, position, token) VALUES ('values', 1, gen_random_uuid());
ALTER TABLE smartpark.indicator_value ADD COLUMN publication_id bigint NOT NULL DEFAULT 1;
ALTER TABLE smartpark.indicator_value ALTER COLUMN publication_id DROP DEFAULT;
CREATE INDEX indicator_value_published
    ON smartpark.indicator_value (publication_id, series_id, start, revision);

-- A period that was handed in: what it said, to the byte, and whose word it is. `manifest` is the text that was signed
-- and holds the digest of the rows; a period can be handed in again, under the next sequence number.
CREATE TABLE smartpark.submission (
    -- PARK/PERIOD/SEQUENCE, e.g. minhou-demo/2026-10/1
    code text PRIMARY KEY CHECK (code ~ '^[^/]+/\d{4}(-\d{2}(-\d{2})?)?/[1-9]\d*$'),
    park text NOT NULL REFERENCES smartpark.park,
    grain text NOT NULL CHECK (grain IN ('day', 'month', 'year')),
    start timestamptz NOT NULL,
    sequence integer NOT NULL CHECK (sequence >= 1),
    rows integer NOT NULL CHECK (rows >= 1),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    manifest text NOT NULL CHECK (manifest <> ''),
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    key_id text NOT NULL CHECK (key_id <> ''),
    sealed_by text NOT NULL CHECK (sealed_by <> ''),
    sealed_at timestamptz NOT NULL,
    note text NOT NULL,
    publication_id bigint NOT NULL UNIQUE REFERENCES smartpark.publication,
    UNIQUE (park, grain, start, sequence)
);

CREATE TABLE smartpark.submission_row (
    code text NOT NULL REFERENCES smartpark.submission,
    series_id integer NOT NULL,
    start timestamptz NOT NULL,
    revision integer NOT NULL,
    -- Nobody has the right to remove a published row, so that no foreign key needs to hold it.
    PRIMARY KEY (code, series_id, start, revision)
);
CREATE INDEX ON smartpark.submission_row (series_id, start, revision);

-- Public halves of the keys that seal, ours and those of instances we pull from.
CREATE TABLE smartpark.seal_key (
    key_id text PRIMARY KEY CHECK (key_id <> ''),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    -- Null: our own.
    source text,
    known_since timestamptz NOT NULL,
    retired_at timestamptz
);

CREATE FUNCTION smartpark.refuse_rewriting_submissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was submitted is kept as it was: % of % is refused', TG_OP, TG_TABLE_NAME
        USING HINT = 'submit the period again', ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER submission_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.submission
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_submissions();
CREATE TRIGGER submission_row_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON smartpark.submission_row
    FOR EACH STATEMENT EXECUTE FUNCTION smartpark.refuse_rewriting_submissions();

-- Whom this instance pulls from. A park belongs to one source, or to none when its readings come here.
CREATE TABLE smartpark.aggregate_source (
    source text PRIMARY KEY CHECK (source ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'),
    url text NOT NULL CHECK (url ~ '^https?://'),
    instance uuid NOT NULL,
    -- Where the next pull goes on, stored with the rows that it follows; empty: from the beginning.
    cursor text NOT NULL DEFAULT '',
    rows bigint NOT NULL DEFAULT 0,
    added_at timestamptz NOT NULL,
    pulled_at timestamptz,
    -- When we last had all there was.
    complete_at timestamptz,
    error text NOT NULL DEFAULT '',
    error_at timestamptz
);
ALTER TABLE smartpark.seal_key ADD FOREIGN KEY (source) REFERENCES smartpark.aggregate_source;
ALTER TABLE smartpark.park ADD COLUMN source text REFERENCES smartpark.aggregate_source;
CREATE INDEX ON smartpark.park (source) WHERE source IS NOT NULL;

-- A view keeps the columns that its table had when it was made; new ones come last.
CREATE OR REPLACE VIEW smartpark.indicator AS
SELECT
    s.park, s.indicator, s.grain, v.start, v.revision, v.value, v.numerator, v.denominator, o.unit, v.completeness,
    v.estimated_share, o.method, o.factor_set, o.factors, o.reason, v.computed_at, v.superseded_at, s.boundary,
    v.uncertainty, v.publication_id
FROM smartpark.indicator_value AS v
JOIN smartpark.indicator_series AS s USING (series_id)
JOIN smartpark.indicator_origin AS o USING (origin_id);

CREATE VIEW park.submission AS
SELECT code, park, grain, start AS time, sequence, rows, encode(digest, 'hex') AS digest, key_id, sealed_by, sealed_at, note
FROM smartpark.submission;

GRANT SELECT ON park.submission TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT ON
    smartpark.instance, smartpark.publication, smartpark.submission, smartpark.submission_row, smartpark.seal_key,
    smartpark.aggregate_source TO smartpark_api, smartpark_ingest;
-- The position is the numbering function's alone.
GRANT INSERT (kind, park) ON smartpark.publication TO smartpark_api, smartpark_ingest;
GRANT INSERT ON smartpark.submission, smartpark.submission_row, smartpark.seal_key TO smartpark_api, smartpark_ingest;
GRANT UPDATE (retired_at) ON smartpark.seal_key TO smartpark_api, smartpark_ingest;
GRANT INSERT, UPDATE ON smartpark.aggregate_source TO smartpark_ingest;
-- Who seals holds the rows that it seals, so that none is superseded before the seal is.
GRANT UPDATE (superseded_at) ON smartpark.indicator_value TO smartpark_api;
-- A puller brings the parks of its sources with it.
GRANT INSERT, UPDATE ON smartpark.park, smartpark.sub_park, smartpark.enterprise TO smartpark_ingest;

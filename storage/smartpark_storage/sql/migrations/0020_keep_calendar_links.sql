-- Secret addresses of calendars of due dates: of a person's requests or of a park's. Of the token only its digest is
-- kept; a new link of the same subject leaves the older ones as they are, until somebody revokes them.

CREATE TABLE smartpark.calendar_link (
    link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_sha256 bytea NOT NULL UNIQUE,
    person text REFERENCES smartpark.person,
    park text REFERENCES smartpark.park,
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK (num_nonnulls(person, park) = 1)
);

GRANT SELECT, INSERT, UPDATE (revoked_at) ON smartpark.calendar_link TO smartpark_api;

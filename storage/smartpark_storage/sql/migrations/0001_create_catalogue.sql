-- What exists: park, sub-park, enterprise, transformer, device, point, as the newest catalogue file says it,
-- and how it came to be so. Codes are the keys, because people and files speak of them; only points, which
-- stand beside every reading, have a short number too. Nothing is deleted: what disappears is retired.

CREATE SCHEMA park;

CREATE TABLE smartpark.park (
    code text PRIMARY KEY,
    name text NOT NULL,
    name_en text NOT NULL,
    region text NOT NULL,
    terrain text NOT NULL,
    peer_class integer NOT NULL,
    area_mu double precision NOT NULL,
    time_zone text NOT NULL,
    contract_demand_kw double precision,
    electricity_factor_scope text NOT NULL,
    retired_at timestamptz
);

CREATE TABLE smartpark.sub_park (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    name_en text NOT NULL,
    area_mu double precision,
    terrain text,
    retired_at timestamptz,
    PRIMARY KEY (park, code)
);

CREATE TABLE smartpark.enterprise (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    name_en text NOT NULL,
    uscc text NOT NULL,
    sub_park text,
    is_above_scale boolean NOT NULL,
    industry text,
    area_mu double precision,
    contract_demand_kw double precision,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, sub_park) REFERENCES smartpark.sub_park (park, code)
);

CREATE TABLE smartpark.transformer (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    rated_kva double precision NOT NULL,
    voltage_kv double precision NOT NULL,
    sub_park text,
    enterprise text,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, sub_park) REFERENCES smartpark.sub_park (park, code),
    FOREIGN KEY (park, enterprise) REFERENCES smartpark.enterprise (park, code)
);

CREATE TABLE smartpark.device (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    name_en text NOT NULL,
    kind text NOT NULL,
    carrier text NOT NULL,
    role text NOT NULL,
    sub_park text,
    enterprise text,
    parent text,
    transformer text,
    internal_transfer boolean NOT NULL,
    ct_ratio double precision NOT NULL,
    pt_ratio double precision NOT NULL,
    model text,
    installed_on date,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, sub_park) REFERENCES smartpark.sub_park (park, code),
    FOREIGN KEY (park, enterprise) REFERENCES smartpark.enterprise (park, code),
    FOREIGN KEY (park, transformer) REFERENCES smartpark.transformer (park, code),
    FOREIGN KEY (park, parent) REFERENCES smartpark.device (park, code) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE smartpark.point (
    point_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL,
    device text NOT NULL,
    code text NOT NULL,
    key text NOT NULL UNIQUE,
    measurand text NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    carrier text NOT NULL,
    exponent integer,
    register_modulus bigint,
    multiplier double precision NOT NULL,
    retired_at timestamptz,
    UNIQUE (park, device, code),
    FOREIGN KEY (park, device) REFERENCES smartpark.device (park, code)
);

-- Multiplier and modulus as they were in force: a changed current transformer must not rewrite last year.
CREATE TABLE smartpark.point_version (
    point_id integer NOT NULL REFERENCES smartpark.point,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    multiplier double precision NOT NULL,
    register_modulus bigint,
    PRIMARY KEY (point_id, valid_from),
    CHECK (valid_from < valid_to)
);

CREATE TABLE smartpark.catalogue_version (
    version_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park text NOT NULL,
    digest text NOT NULL,
    source text NOT NULL,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX ON smartpark.catalogue_version (park, version_id);

CREATE TABLE smartpark.entity_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version_id integer NOT NULL REFERENCES smartpark.catalogue_version,
    entity text NOT NULL,
    key text NOT NULL,
    change text NOT NULL CHECK (change IN ('add', 'change', 'retire', 'revive')),
    before jsonb,
    after jsonb
);
CREATE INDEX ON smartpark.entity_change (key, change_id);

-- Counts the changes of the point registry, so that a writer notices cheaply that its copy is old.
CREATE TABLE smartpark.registry_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO smartpark.registry_state (version) VALUES (0);

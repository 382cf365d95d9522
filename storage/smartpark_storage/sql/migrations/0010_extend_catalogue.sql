-- What accounting needs to know beside the meters: feeders, contracts, computed meters, registers that were replaced,
-- and of a device how exact it is, what burns there and what its stack is held to.

CREATE TABLE smartpark.feeder (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    rated_kva double precision NOT NULL,
    main_transformer text,
    sub_park text,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, sub_park) REFERENCES smartpark.sub_park (park, code),
    FOREIGN KEY (park, main_transformer) REFERENCES smartpark.transformer (park, code) DEFERRABLE INITIALLY DEFERRED
);

ALTER TABLE smartpark.transformer
    ADD COLUMN feeder text,
    ADD FOREIGN KEY (park, feeder) REFERENCES smartpark.feeder (park, code) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE smartpark.contract (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    enterprise text,
    valid_from date NOT NULL,
    valid_to date,
    basic_charge text NOT NULL,
    contract_demand_kw double precision,
    capacity_kva double precision,
    power_factor_standard text,
    price_plan text,
    settlement_day integer NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, enterprise) REFERENCES smartpark.enterprise (park, code)
);

ALTER TABLE smartpark.device
    ADD COLUMN accuracy_class double precision,
    ADD COLUMN is_feedstock boolean NOT NULL DEFAULT false,
    ADD COLUMN nominal_voltage_v double precision,
    ADD COLUMN furnace text,
    ADD COLUMN o2_reference_pct double precision,
    ADD COLUMN emission_limit text,
    ADD COLUMN pressure_reference text NOT NULL DEFAULT 'absolute';

ALTER TABLE smartpark.point ADD COLUMN max_rate double precision;

CREATE TABLE smartpark.virtual_meter (
    park text NOT NULL REFERENCES smartpark.park,
    code text NOT NULL,
    name text NOT NULL,
    name_en text NOT NULL,
    expression text NOT NULL,
    carrier text NOT NULL,
    measurand text NOT NULL,
    role text NOT NULL,
    sub_park text,
    enterprise text,
    retired_at timestamptz,
    PRIMARY KEY (park, code),
    FOREIGN KEY (park, sub_park) REFERENCES smartpark.sub_park (park, code),
    FOREIGN KEY (park, enterprise) REFERENCES smartpark.enterprise (park, code)
);

-- The last count of the old register and the first one of the new, as exact decimals before ratios.
CREATE TABLE smartpark.meter_change (
    park text NOT NULL REFERENCES smartpark.park,
    key text NOT NULL,
    device text NOT NULL,
    point text NOT NULL,
    at timestamptz NOT NULL,
    final text NOT NULL,
    initial text NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (park, key),
    FOREIGN KEY (park, device, point) REFERENCES smartpark.point (park, device, code)
);

-- Numbers are published for devices and transformers too: stacks, air stations, meters with children.
ALTER TABLE smartpark.indicator DROP CONSTRAINT indicator_boundary_check;
ALTER TABLE smartpark.indicator ADD CONSTRAINT indicator_boundary_check
    CHECK (boundary ~ '^(park|(sub_park|enterprise|device|transformer|feeder|virtual_meter)/.+)$');

CREATE VIEW park.feeder AS SELECT * FROM smartpark.feeder;
CREATE VIEW park.contract AS SELECT * FROM smartpark.contract;
CREATE VIEW park.virtual_meter AS SELECT * FROM smartpark.virtual_meter;
CREATE VIEW park.meter_change AS SELECT * FROM smartpark.meter_change;
-- A view keeps the columns that its table had when it was made; new ones come last.
CREATE OR REPLACE VIEW park.transformer AS SELECT * FROM smartpark.transformer;
CREATE OR REPLACE VIEW park.device AS SELECT * FROM smartpark.device;

GRANT SELECT ON park.feeder, park.contract, park.virtual_meter, park.meter_change
    TO smartpark_grafana, smartpark_api, smartpark_ingest;
GRANT SELECT ON smartpark.feeder, smartpark.contract, smartpark.virtual_meter, smartpark.meter_change
    TO smartpark_api, smartpark_ingest;

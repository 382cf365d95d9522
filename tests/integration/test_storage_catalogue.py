"""Loading catalogues: idempotent, with history, without deleting, and never changing what stored readings mean."""

from datetime import date, timedelta

import pytest
from smartpark.catalogue import parse_catalogue
from smartpark.clock import to_us
from smartpark_storage import (
    CatalogueConflictError,
    Connection,
    StaleSpan,
    claim_stale,
    current_catalogue,
    load_catalogue,
    load_registry,
    point_versions,
    register_edge,
    registry_version,
    store_batches,
    transaction,
)
from smartpark_storage.history import catalogue_summaries, catalogue_versions, entity_history
from storage_cases import METER, NOON, NOON_US, batch, park, park_document


def load(connection: Connection, *, at=NOON, **changes):
    return load_catalogue(connection, park(**changes), source="hill.toml", loaded_by="somebody", at=at)


def test_loading_the_same_catalogue_twice_changes_nothing(connection: Connection):
    first, second = load(connection), load(connection, at=NOON + timedelta(days=1))
    assert (first.count("add"), first.points, first.version_id, first.registry_version) == (12, 8, 1, 1)
    assert (second.changes, second.version_id, second.registry_version) == ([], None, 1)
    assert len(catalogue_versions(connection, limit=9)) == 1
    assert registry_version(connection) == 1


def test_the_registry_has_what_the_catalogue_says(connection: Connection):
    load(connection)
    registry = load_registry(connection)
    register = registry.by_key["hill/M1/active_energy_import"]
    assert registry.by_id[register.point_id] is register
    assert (register.exponent, register.register_modulus, register.multiplier) == (-2, 10**8, 10.0)
    assert (register.kind, register.unit, register.role, register.parent_device) == (
        "counter",
        "kWh",
        "consumption",
        "M0",
    )
    assert registry.by_key["hill/M1/power_factor"].exponent is None


def test_what_disappears_is_retired_and_comes_back_under_its_old_number(connection: Connection):
    load(connection)
    before = load_registry(connection).by_key["hill/M1/active_power"]
    report = load(connection, devices=["M0"])
    assert report.count("retire") == 5
    gone = load_registry(connection).by_key["hill/M1/active_power"]
    assert (gone.retired, gone.point_id) == (True, before.point_id)
    assert load(connection).count("revive") == 5
    assert load_registry(connection).by_key["hill/M1/active_power"] == before


def test_every_change_is_kept_with_before_and_after(connection: Connection):
    load(connection)
    load(connection, name="新名", at=NOON + timedelta(days=1))
    history = entity_history(connection, "hill/M0")
    (change,) = [entry for entry in history if entry["change"] == "change"]
    assert (change["entity"], change["before"]["name"], change["after"]["name"]) == ("device", "M0", "新名")
    assert (change["loaded_by"], change["loaded_at"]) == ("somebody", NOON + timedelta(days=1))
    assert {entry["key"] for entry in history} == {"hill/M0", *(f"hill/M0/{p['measurand']}" for p in METER)}
    assert catalogue_summaries(connection)[0]["points"] == 8


def test_a_point_with_readings_keeps_its_measurand_and_resolution(connection: Connection):
    load(connection)
    power = load_registry(connection).by_key["hill/M0/active_power"]
    store_batches(connection, [batch(1, [(power.point_id, NOON_US, 5)])], received_at=NOON)
    finer = [{**p, "resolution": "0.1"} if p["measurand"] == "active_power" else p for p in METER]
    other = [
        {**p, "measurand": "reactive_power", "code": "active_power"} if p["measurand"] == "active_power" else p
        for p in METER
    ]
    with pytest.raises(CatalogueConflictError, match="hill/M0/active_power: exponent 0 → -1") as refused:
        load(connection, points=finer)
    assert "hill/M1/active_power" not in str(refused.value)  # it has no readings: its resolution may be put right
    with pytest.raises(CatalogueConflictError, match="hill/M0/active_power: measurand active_power → reactive_power"):
        load(connection, points=other)
    assert load_registry(connection).by_key["hill/M0/active_power"] == power
    assert registry_version(connection) == 1


def test_a_point_without_readings_may_be_put_right(connection: Connection):
    load(connection)
    report = load(connection, points=[{**p, "resolution": "0.1", "register_digits": None} for p in METER[:3]])
    assert report.count("change") == 6
    assert load_registry(connection).by_key["hill/M0/active_power"].exponent == -1


def test_a_changed_multiplier_holds_from_the_load_on_and_the_past_keeps_the_old_one(connection: Connection):
    load(connection)
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    later = NOON + timedelta(hours=1)
    rows = [(register, NOON_US, 100), (register, to_us(later), 200)]
    store_batches(connection, [batch(1, rows)], received_at=NOON)
    claim_stale(connection, limit=99)
    load(connection, ct_ratio=20.0, at=later)
    versions = point_versions(connection, [register])
    assert versions[["valid_from_us", "multiplier", "modulus"]].tolist() == [
        (0, 10.0, 10**8),
        (to_us(later), 20.0, 10**8),
    ]
    with transaction(connection):
        assert connection.execute("SELECT value FROM park.reading ORDER BY time").fetchall() == [(10.0,), (40.0,)]
    # The change reaches back over one stored reading: derive must look again, from there on.
    (span,) = claim_stale(connection, limit=99)
    assert (span.point_id, span.start_us, span.end_us) == (register, to_us(later), to_us(later) + 1)


def test_a_change_taken_back_at_the_same_instant_leaves_one_version(connection: Connection):
    load(connection)
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    store_batches(connection, [batch(1, [(register, NOON_US, 100)])], received_at=NOON)
    later = NOON + timedelta(hours=1)
    load(connection, ct_ratio=20.0, at=later)
    load(connection, at=later)
    versions = point_versions(connection, [register])
    assert versions[["valid_from_us", "multiplier"]].tolist() == [(0, 10.0)]
    with transaction(connection):
        ends = connection.execute(
            "SELECT valid_to::text FROM smartpark.point_version WHERE point_id = %s", [register]
        )
        assert ends.fetchall() == [("infinity",)]


def test_a_wrong_multiplier_without_readings_leaves_no_version_behind(connection: Connection):
    load(connection)
    load(connection, ct_ratio=20.0, at=NOON + timedelta(days=1))
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    assert point_versions(connection, [register])[["valid_from_us", "multiplier"]].tolist() == [(0, 20.0)]


def test_every_point_has_exactly_one_version_at_any_instant(connection: Connection):
    load(connection)
    points = [r.point_id for r in load_registry(connection).by_id.values()]
    store_batches(connection, [batch(1, [(p, NOON_US, None) for p in points])], received_at=NOON)
    for hours, ratio in ((3, 20.0), (5, 30.0), (4, 40.0), (6, 40.0), (1, 10.0)):
        load(connection, ct_ratio=ratio, at=NOON + timedelta(hours=hours))
        with transaction(connection):
            gaps = connection.execute("""
                SELECT point_id, min(valid_from), max(valid_to),
                    bool_and(next_from IS NULL OR next_from = valid_to)
                FROM (
                    SELECT *, lead(valid_from) OVER (PARTITION BY point_id ORDER BY valid_from) AS next_from
                    FROM smartpark.point_version
                ) AS v
                GROUP BY point_id
                HAVING NOT bool_and(next_from IS NULL OR next_from = valid_to)
                    OR max(valid_to) < 'infinity' OR min(valid_from) > 'epoch'
            """).fetchall()
        assert gaps == []


def test_a_load_is_announced(database_dsn: str, connection: Connection):
    connection.execute("LISTEN smartpark_registry")
    connection.commit()
    load(connection)
    (notice,) = connection.notifies(timeout=60, stop_after=1)
    assert notice.payload == "1"


def test_an_edge_keeps_its_number(connection: Connection):
    numbers = [register_edge(connection, code) for code in ("edge-a", "edge-b", "edge-a")]
    assert numbers[0] == numbers[2] != numbers[1]


def with_grid(*, final: str = "812345.67", **device):
    document = park_document(accuracy_class=0.5, nominal_voltage_v=10_000.0, **device)
    document["transformer"] = [
        {"code": "MT", "name": "主变", "rated_kva": 50_000, "voltage_kv": 110},
        {"code": "TR", "name": "配变", "rated_kva": 1600, "voltage_kv": 10, "feeder": "F1"},
    ]
    document["feeder"] = [{"code": "F1", "name": "馈线", "rated_kva": 6928.0, "main_transformer": "MT"}]
    document["contract"] = [
        {"code": "K1", "valid_from": date(2026, 1, 1), "basic_charge": "capacity", "capacity_kva": 2500}
    ]
    document["virtual_meter"] = [
        {"code": "V1", "name": "其余", "name_en": "rest", "expression": "M0 - M1", "carrier": "electricity"}
    ]
    document["meter_change"] = [
        {"device": "M1", "point": "active_energy_import", "at": NOON, "final": final, "initial": "0.00"}
    ]
    return parse_catalogue(document, file="hill.toml")


def load_grid(connection: Connection, *, at=NOON, **changes):
    return load_catalogue(connection, with_grid(**changes), source="hill.toml", loaded_by="somebody", at=at)


def test_grid_contracts_and_replaced_registers_are_kept_and_loaded_twice_change_nothing(connection: Connection):
    first, second = load_grid(connection), load_grid(connection, at=NOON + timedelta(days=1))
    entities = {change.entity for change in first.changes}
    assert {"feeder", "contract", "virtual_meter", "meter_change"} <= entities
    assert second.changes == []
    assert current_catalogue(connection, "hill") == with_grid()
    assert load_registry(connection).by_key["hill/M1/active_power"].accuracy_class == 0.5


def test_a_replaced_register_is_derived_again_when_it_is_told_and_when_it_is_told_otherwise(connection: Connection):
    load_grid(connection)
    point = load_registry(connection).by_key["hill/M1/active_energy_import"].point_id
    with transaction(connection):
        assert claim_stale(connection, limit=9) == [StaleSpan(point, to_us(NOON), to_us(NOON) + 1)]
    load_grid(connection)
    with transaction(connection):
        assert claim_stale(connection, limit=9) == []
    load_grid(connection, final="812345.99")
    with transaction(connection):
        assert [span.point_id for span in claim_stale(connection, limit=9)] == [point]

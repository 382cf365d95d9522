"""What derive writes: interval energy and revisions of indicators; and what edges say about themselves."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from psycopg.errors import IntegrityError
from smartpark.wire import Birth, BirthPoint, Death, SourceStatus, Status
from smartpark_storage import (
    INTERVAL_DTYPE,
    Connection,
    IndicatorRow,
    StorageConflictError,
    connect,
    edges_overview,
    fetch_interval_energy,
    load_catalogue,
    load_registry,
    publish_indicators,
    record_birth,
    record_death,
    record_status,
    register_edge,
    transaction,
    write_interval_energy,
)
from storage_cases import HOUR_US, NOON, NOON_US, QUARTER_US, park

ROW = IndicatorRow(
    park="hill",
    indicator="carbon_location",
    grain="hour",
    start_us=NOON_US,
    value=0.1 + 0.2,
    numerator=0.30000000000000004,
    denominator=None,
    unit="t",
    completeness=0.75,
    estimated_share=0.1,
    method="m1",
    factor_set="2026",
    factors=("a", "b"),
    reason="",
    computed_at_us=NOON_US + HOUR_US,
)


@pytest.fixture(autouse=True)
def _catalogue(connection: Connection) -> None:
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)


def intervals(point: int, amounts: list[float], completeness: float = 1.0) -> np.ndarray:
    rows = np.zeros(len(amounts), INTERVAL_DTYPE)
    rows["point_id"], rows["completeness"] = point, completeness
    rows["start"] = NOON_US + QUARTER_US * np.arange(len(amounts))
    rows["amount"] = amounts
    return rows


def test_only_intervals_that_differ_are_written(connection: Connection):
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    first = intervals(register, [1.5, np.nan, 0.1 + 0.2])
    assert write_interval_energy(connection, first) == 3
    assert write_interval_energy(connection, first[::-1]) == 0
    changed = intervals(register, [1.5, 2.0, 0.1 + 0.2, 4.0])
    assert write_interval_energy(connection, changed) == 2
    found = fetch_interval_energy(connection, [register], NOON_US, NOON_US + HOUR_US)
    assert found.tobytes() == changed.tobytes()
    assert fetch_interval_energy(connection, [register], NOON_US + QUARTER_US, NOON_US + 2 * QUARTER_US).size == 1
    assert write_interval_energy(connection, intervals(register, [np.nan])) == 1
    assert np.isnan(fetch_interval_energy(connection, [register], NOON_US, NOON_US + 1)["amount"]).all()


@pytest.mark.parametrize(
    "level", ["sub_park/C1", "enterprise/E1", "device/M1", "transformer/T1", "feeder/F1", "virtual_meter/V1"]
)
def test_numbers_are_published_of_every_kind_of_boundary(connection: Connection, level: str):
    assert publish_indicators(connection, [replace(ROW, boundary=level)]) == 1


def test_what_is_no_boundary_is_refused(connection: Connection):
    with pytest.raises(IntegrityError, match="boundary_check"):
        publish_indicators(connection, [replace(ROW, boundary="street/S1")])


def test_the_same_number_of_another_boundary_has_revisions_of_its_own(connection: Connection):
    tenant = replace(ROW, boundary="enterprise/T1", value=2.0)
    assert publish_indicators(connection, [ROW, tenant]) == 2
    assert publish_indicators(connection, [ROW, replace(tenant, value=3.0)]) == 1
    with transaction(connection):
        rows = connection.execute("SELECT boundary, revision, value FROM park.indicator ORDER BY boundary").fetchall()
    assert rows == [("enterprise/T1", 2, 3.0), ("park", 1, ROW.value)]


def revisions(connection: Connection) -> list[tuple[object, ...]]:
    with transaction(connection):
        return connection.execute(
            "SELECT revision, value, superseded_at FROM park.indicator_revision ORDER BY revision"
        ).fetchall()


def test_an_indicator_gets_a_new_revision_only_where_it_differs(connection: Connection):
    assert publish_indicators(connection, [ROW]) == 1
    assert publish_indicators(connection, [replace(ROW, computed_at_us=NOON_US + 2 * HOUR_US)]) == 0
    corrected = replace(ROW, value=None, reason="gap", computed_at_us=NOON_US + 3 * HOUR_US)
    other = replace(ROW, start_us=NOON_US + HOUR_US)
    assert publish_indicators(connection, [corrected, other]) == 2
    with transaction(connection):
        current = connection.execute("SELECT revision, value, reason FROM park.indicator ORDER BY time").fetchall()
    assert current == [(2, None, "gap"), (1, 0.1 + 0.2, "")]
    first = revisions(connection)[0]
    assert first == (1, 0.1 + 0.2, NOON + timedelta(hours=3))


@pytest.mark.parametrize(
    "change",
    [
        {"completeness": 0.5},
        {"estimated_share": 0.0},
        {"factors": ("a",)},
        {"method": "m2"},
        {"numerator": 1.0},
        {"denominator": 2.0},
        {"unit": "kg"},
        {"reason": "x"},
        {"uncertainty": 0.05},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_an_indicator_counts_as_a_difference(connection: Connection, change: dict[str, object]):
    publish_indicators(connection, [ROW])
    assert publish_indicators(connection, [replace(ROW, **change)]) == 1


@pytest.mark.parametrize(
    "change", [{"factor_set": "2027"}, {"computed_at_us": NOON_US}], ids=lambda change: next(iter(change))
)
def test_a_set_with_other_rows_that_it_does_not_rest_on_is_no_difference(
    connection: Connection, change: dict[str, object]
):
    publish_indicators(connection, [ROW])
    assert publish_indicators(connection, [replace(ROW, **change)]) == 0


@pytest.mark.parametrize(
    "change",
    [
        "indicator_value SET value = 1",
        "indicator_value SET revision = 9",
        "indicator_value SET superseded_at = now(), value = 1",
        "indicator_value SET superseded_at = NULL",
        "indicator_origin SET reason = 'better'",
        "indicator_series SET indicator = 'another'",
    ],
)
def test_a_published_row_is_not_rewritten_by_anybody(connection: Connection, change: str):
    publish_indicators(connection, [ROW])
    with (
        pytest.raises(IntegrityError, match=r"not rewritten: .*carbon_location|not rewritten: indicator_origin"),
        transaction(connection),
    ):
        connection.execute(f"UPDATE smartpark.{change}")
    assert revisions(connection) == [(1, ROW.value, None)]


def test_a_superseded_revision_stays_superseded(connection: Connection):
    publish_indicators(connection, [ROW])
    publish_indicators(connection, [replace(ROW, value=2.0, computed_at_us=NOON_US + 2 * HOUR_US)])
    with pytest.raises(IntegrityError, match="is revision 1 for good"), transaction(connection):
        connection.execute("UPDATE smartpark.indicator_value SET superseded_at = now() WHERE revision = 1")


def test_two_first_revisions_at_once_are_a_conflict_that_can_be_repeated(database_dsn: str, connection: Connection):
    with connect(database_dsn, application="test b") as other:
        other.execute("SET lock_timeout = '200ms'")
        other.commit()
        with transaction(connection):
            publish_indicators(connection, [ROW])
            with pytest.raises(StorageConflictError, match="conflict in the database"):
                publish_indicators(other, [ROW])
        assert publish_indicators(other, [ROW]) == 0


def test_names_and_origins_are_stored_once(connection: Connection):
    rows = [replace(ROW, start_us=ROW.start_us + n * HOUR_US, value=float(n)) for n in range(50)]
    assert publish_indicators(connection, rows) == 50
    with transaction(connection):
        found = connection.execute(
            "SELECT (SELECT count(*) FROM smartpark.indicator_series),"
            " (SELECT count(*) FROM smartpark.indicator_origin), (SELECT count(*) FROM smartpark.indicator)"
        ).fetchone()
    assert found == (1, 1, 50)


def birth(session: int, points: int = 1) -> Birth:
    declared = tuple(BirthPoint(alias=n, point=f"hill/M{n}/voltage", measurand="voltage") for n in range(points))
    return Birth(edge="edge-a", boot=1, session=session, software="0.1", points=declared)


def status(session: int, **fields) -> Status:
    given = {"time": NOON_US, "spool_readings": 5, "spool_bytes": 10, "spool_limit_bytes": 100, **fields}
    return Status(edge="edge-a", boot=1, session=session, **given)


def test_an_edge_is_as_its_newest_session_says(connection: Connection):
    edge = register_edge(connection, "edge-a")
    assert [(e.code, e.online, e.status) for e in edges_overview(connection)] == [("edge-a", False, None)]
    record_birth(connection, edge, birth(100, points=3), NOON)
    record_status(
        connection,
        edge,
        status(100, dropped=7, dropped_from=NOON_US, sources=(SourceStatus(name="m", connected=True),)),
        NOON,
    )
    (overview,) = edges_overview(connection)
    assert (overview.online, overview.points, overview.status["dropped"]) == (True, 3, 7)
    with transaction(connection):
        shown = connection.execute("SELECT online, spool_readings, dropped, dropped_from, hours_left FROM park.edge")
        assert shown.fetchall() == [(True, 5, 7, NOON, None)]

    record_death(connection, edge, Death(edge="edge-a", boot=1, session=99), NOON)
    assert edges_overview(connection)[0].online, "a will of an older session says nothing about this one"
    record_death(connection, edge, Death(edge="edge-a", boot=1, session=100), NOON)
    assert not edges_overview(connection)[0].online
    record_birth(connection, edge, birth(100), NOON)
    assert not edges_overview(connection)[0].online, "a retained birth outlives its edge"
    record_status(connection, edge, status(99, dropped=0), NOON)
    assert edges_overview(connection)[0].status["dropped"] == 7
    record_birth(connection, edge, birth(101), NOON + timedelta(hours=1))
    assert edges_overview(connection)[0].online
    with transaction(connection):
        events = connection.execute("SELECT event, session FROM smartpark.edge_event ORDER BY event_id").fetchall()
    assert events == [("birth", 100), ("death", 100), ("birth", 101)]

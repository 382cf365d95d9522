"""`verify` finds what is wrong, and what is right; roles see what is theirs and nothing else."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg import sql
from smartpark.cli import main
from smartpark.errors import SmartparkError
from smartpark.status import as_int32
from smartpark.wire import Birth
from smartpark_storage import (
    INTERVAL_DTYPE,
    Connection,
    DeadLetterRow,
    DeadReason,
    IndicatorRow,
    claim_stale,
    connect,
    dsn_from_environment,
    load_catalogue,
    load_registry,
    publish_indicators,
    record_birth,
    register_edge,
    store_batches,
    write_interval_energy,
)
from smartpark_storage.roles import DatabaseRole, set_password
from smartpark_storage.verification import Difference, TruthLedgerError, Verdict, verify
from storage_cases import HOUR_US, NOON, NOON_US, QUARTER_US, batch, park, write_truth

BAD = 0x808C_0000


@pytest.fixture
def points(connection: Connection) -> dict[str, int]:
    load_catalogue(connection, park(devices=["M0"]), source="hill.toml", loaded_by="test", at=NOON)
    return {k: r.point_id for k, r in load_registry(connection).by_key.items()}


REGISTER, FACTOR, POWER = "hill/M0/active_energy_import", "hill/M0/power_factor", "hill/M0/active_power"
TRUTH = [
    (REGISTER, NOON_US, "123.45", 0),
    (REGISTER, NOON_US + 1, "123.50", 0),
    (FACTOR, NOON_US, "0.1", 0),
    (POWER, NOON_US, None, BAD),
    (POWER, NOON_US + 1, "-7", 0),
]


def store(
    connection: Connection,
    points: dict[str, int],
    *,
    leave_out: int | None = None,
    change=None,
    twice: int | None = None,
):
    rows = [
        (points[REGISTER], NOON_US, 12_345),
        (points[REGISTER], NOON_US + 1, 12_350),
        (points[FACTOR], NOON_US, 0.1),
        (points[POWER], NOON_US, None, as_int32(BAD)),
        (points[POWER], NOON_US + 1, -7),
    ]
    if change is not None:
        rows[change[0]] = (*rows[change[0]][:2], *change[1])
    again = [rows[twice]] if twice is not None else []
    rows = [row for index, row in enumerate(rows) if index != leave_out]
    store_batches(connection, [batch(1, rows + again)], received_at=NOON)


def test_intact_readings_are_found_intact(connection: Connection, points: dict[str, int], tmp_path: Path):
    store(connection, points)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", TRUTH))
    assert verdict.readings_intact
    assert (verdict.readings_sent, verdict.readings_stored, verdict.readings_unexpected) == (5, 5, 0)


@pytest.mark.parametrize("index", range(5))
def test_a_lost_reading_is_found(connection: Connection, points: dict[str, int], tmp_path: Path, index: int):
    store(connection, points, leave_out=index)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", TRUTH))
    assert (verdict.readings_lost, verdict.readings_duplicated, verdict.readings_altered) == (1, 0, 0)
    assert not verdict.readings_intact


@pytest.mark.parametrize("index", range(5))
def test_a_duplicated_reading_is_found(connection: Connection, points: dict[str, int], tmp_path: Path, index: int):
    store(connection, points, twice=index)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", TRUTH))
    assert (verdict.readings_lost, verdict.readings_duplicated, verdict.readings_altered) == (0, 1, 0)
    assert verdict.readings_stored == 6


@pytest.mark.parametrize(
    "change",
    [
        (0, (12_346,)),
        (0, (12_345, 2**30)),
        (0, (None,)),
        (2, (0.1 + 2**-56,)),
        (3, (0, as_int32(BAD))),
        (3, (None, 0)),
    ],
    ids=["value", "status", "value gone", "double by one bit", "value made up", "status of an empty one"],
)
def test_an_altered_reading_is_found(connection: Connection, points: dict[str, int], tmp_path: Path, change):
    store(connection, points, change=change)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", TRUTH))
    assert (verdict.readings_lost, verdict.readings_duplicated, verdict.readings_altered) == (0, 0, 1)


def test_what_nobody_sent_is_counted_apart(connection: Connection, points: dict[str, int], tmp_path: Path):
    store(connection, points)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", [*TRUTH[:1], *TRUTH[2:]]))
    assert (verdict.readings_unexpected, verdict.readings_intact) == (1, True)


def _verdict_with_one_only_said(connection: Connection, folder: Path) -> tuple[Verdict, list[Difference]]:
    """Of the readings one was said, and nobody told that he took it."""
    ledger = write_truth(folder / "t.sqlite", TRUTH[1:], said=TRUTH)
    differences: list[Difference] = []
    return verify(connection, ledger, differences=differences), differences


def test_what_was_said_and_never_accepted_may_be_stored(
    connection: Connection, points: dict[str, int], tmp_path: Path
):
    store(connection, points)
    verdict, differences = _verdict_with_one_only_said(connection, tmp_path)
    assert verdict.readings_intact
    assert (verdict.readings_sent, verdict.readings_stored, verdict.readings_unexpected) == (4, 4, 0)
    assert differences == []


def test_what_was_said_and_never_accepted_may_be_missing(
    connection: Connection, points: dict[str, int], tmp_path: Path
):
    store(connection, points, leave_out=0)
    verdict, differences = _verdict_with_one_only_said(connection, tmp_path)
    assert (verdict.readings_intact, verdict.readings_sent, verdict.readings_unexpected) == (True, 4, 0)
    assert differences == []


@pytest.mark.parametrize(
    ("wrong", "what"), [({"twice": 0}, "duplicated"), ({"change": (0, (12_346,))}, "altered")], ids=str
)
def test_what_was_said_and_never_accepted_must_not_be_doubled_or_altered(
    connection: Connection, points: dict[str, int], tmp_path: Path, wrong, what
):
    store(connection, points, **wrong)
    verdict, differences = _verdict_with_one_only_said(connection, tmp_path)
    assert not verdict.readings_intact
    assert differences == [Difference(what, REGISTER, NOON_US, 1)]


def test_the_command_lists_what_is_missing(database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with connect(database_dsn, application="test") as connection:
        load_catalogue(connection, park(devices=["M0"]), source="hill.toml", loaded_by="test", at=NOON)
        store(connection, {k: r.point_id for k, r in load_registry(connection).by_key.items()}, leave_out=1)
    ledger, listing = write_truth(tmp_path / "t.sqlite", TRUTH), tmp_path / "list.tsv"
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    assert main(["verify", str(ledger), "--list", str(listing)]) == 1
    assert listing.read_text() == f"lost\t{REGISTER}\t{NOON_US + 1}\t1\n"


def test_a_reading_of_an_unknown_point_is_lost(connection: Connection, points: dict[str, int], tmp_path: Path):
    store(connection, points)
    verdict = verify(connection, write_truth(tmp_path / "t.sqlite", [*TRUTH, ("hill/X/voltage", NOON_US, "1", 0)]))
    assert (verdict.readings_sent, verdict.readings_lost) == (6, 1)


def test_only_letters_since_the_park_started_are_its_own(connection: Connection, tmp_path: Path):
    letters = [  # the first one came before
        DeadLetterRow("e", "t", DeadReason.MALFORMED, "", b"", None, None, NOON + timedelta(hours=h))
        for h in (-1, 1, 2)
    ]
    store_batches(connection, [batch(1, dead=letters)], received_at=NOON)
    ledger = write_truth(tmp_path / "t.sqlite", [], meta={"started_at": NOON.isoformat()}, dead_letters=3)
    verdict = verify(connection, ledger)
    assert (verdict.dead_letters_expected, verdict.dead_letters) == (3, 2)


def test_energy_is_compared_where_both_sides_know_it(connection: Connection, points: dict[str, int], tmp_path: Path):
    export = points["hill/M0/active_energy_export"]
    rows = np.zeros(12, INTERVAL_DTYPE)
    rows["point_id"] = np.repeat([points[REGISTER], export], 6)
    rows["start"] = np.tile(NOON_US + QUARTER_US * np.arange(6), 2)
    rows["amount"] = [10, 20, 30, 40, 50, np.nan, 1, 1, 1, 1, 1, 1]
    rows["completeness"] = 1
    rows["completeness"][3] = 0.5
    write_interval_energy(connection, rows)
    first = IndicatorRow(
        "hill", "carbon_location", "hour", NOON_US, 0.5, None, None, "t", 1.0, 0.0, "m", "f", (), "", 0
    )
    publish_indicators(connection, [first, replace(first, start_us=NOON_US + HOUR_US, value=0.7)])
    # The truth lacks the third interval, and the second hour has only two of its quarters.
    truth = [(NOON_US + n * QUARTER_US, 100.0, 0.1) for n in (0, 1, 3, 4, 5)]
    verdict = verify(connection, write_truth(tmp_path / "a.sqlite", TRUTH, park_truth=truth))
    assert (verdict.intervals_compared, verdict.energy_kwh_true, verdict.energy_kwh_computed) == (3, 300.0, 77.0)
    assert (verdict.hours_compared, verdict.co2_t_true, verdict.co2_t_computed) == (0, 0, 0)
    whole = [(NOON_US + n * QUARTER_US, 100.0, 0.1) for n in range(6)]
    verdict = verify(connection, write_truth(tmp_path / "b.sqlite", TRUTH, park_truth=whole))
    assert (verdict.hours_compared, verdict.co2_t_true, verdict.co2_t_computed) == (1, pytest.approx(0.4), 0.5)


@pytest.mark.parametrize("content", [b"", b"no database at all, and long enough to be sure of it" * 9])
def test_a_file_that_is_no_ledger_is_refused_by_name(connection: Connection, tmp_path: Path, content: bytes):
    file = tmp_path / "t.sqlite"
    file.write_bytes(content)
    with pytest.raises(TruthLedgerError, match=r"t\.sqlite: cannot be read as a truth ledger"):
        verify(connection, file)


def test_the_command_says_by_its_exit_code_whether_all_is_well(
    database_dsn: str, connection: Connection, points: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    ledger = write_truth(tmp_path / "t.sqlite", TRUTH)
    for code, leave_out in ((1, 0), (0, None)):
        with psycopg.connect(database_dsn, autocommit=True) as admin:
            admin.execute("TRUNCATE smartpark.reading, smartpark.batch_ledger")
        store(connection, points, leave_out=leave_out)
        with redirect_stdout(io.StringIO()) as out:
            assert main(["verify", str(ledger), "--json"]) == code
        report = json.loads(out.getvalue())
        assert report["readings_lost"] == code
        assert {
            "database",
            "readings_sent",
            "readings_stored",
            "dead_letters_expected",
            "energy_kwh_true",
        } <= report.keys()


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["verify", "TRUTH"], 1, "run: smartpark migrate"),
        (["dead", "list"], 1, "run: smartpark migrate"),
        (["dead", "list", "--limit", "-3"], 2, "'-3' is not a whole number"),
        (["catalog", "load", "x.toml", "--valid-from", "2026-01-01"], 2, "has no time zone"),
        (["catalog", "load", "x.toml"], 2, "x.toml: no such file"),
        (["verify", "nowhere.sqlite"], 1, "nowhere.sqlite: no such file"),
        (["database", "password", "smartpark_api", "--file", "nowhere"], 1, "password file nowhere cannot be read"),
        (["database", "start", "--data", "/dev/null/x"], 1, "/dev/null/x cannot be made"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_cannot_work_says_why_in_one_message(  # noqa: PLR0917  fixtures and parameters
    plain_server_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, words, code, complaint
):
    monkeypatch.setenv("SMARTPARK_DSN", plain_server_dsn)  # a database without our schema
    ledger = write_truth(tmp_path / "t.sqlite", TRUTH)
    try:
        returned = main([str(ledger) if word == "TRUTH" else word for word in words])
    except SystemExit as leaving:
        returned = leaving.code
    assert returned == code
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "SMARTPARK_DSN is not set"),
        ({"SMARTPARK_DSN": "postgresql://u:secret@h/d"}, "SMARTPARK_DSN holds a password"),
        ({"SMARTPARK_DSN": "host=h password=secret"}, "SMARTPARK_DSN holds a password"),
        ({"SMARTPARK_DSN": "nonsense"}, "SMARTPARK_DSN is not an address"),
        (
            {"SMARTPARK_DSN": "host=h", "SMARTPARK_DSN_PASSWORD_FILE": "/nowhere"},
            "password file /nowhere cannot be read",
        ),
    ],
)
def test_a_wrong_address_is_refused_without_repeating_secrets(environment: dict[str, str], complaint: str):
    with pytest.raises(SmartparkError, match=complaint) as refused:
        dsn_from_environment(environment)
    assert "secret" not in str(refused.value)


def test_the_password_comes_from_its_file(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("it's secret\n")
    dsn = dsn_from_environment({"SMARTPARK_DSN": "postgresql://u@h/d", "SMARTPARK_DSN_PASSWORD_FILE": str(file)})
    assert psycopg.conninfo.conninfo_to_dict(dsn)["password"] == "it's secret"  # noqa: S105


def allowed(connection: Connection, role: str, statement: str | sql.Composed) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT set_config('role', %s, true)", [role])
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def relations(connection: Connection, schema: str) -> list[str]:
    found = connection.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = %(schema)s"
        " UNION SELECT tablename FROM pg_tables WHERE schemaname = %(schema)s",
        {"schema": schema},
    ).fetchall()
    connection.rollback()
    return [name for (name,) in found]


def test_grafana_reads_the_views_and_nothing_else(connection: Connection, points: dict[str, int]):
    store(connection, points)
    views, tables = relations(connection, "park"), relations(connection, "smartpark")
    assert len(views) > 10 < len(tables)
    for schema, names in (("park", views), ("smartpark", tables)):
        for name in names:
            read = sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, name))
            assert allowed(connection, "smartpark_grafana", read) == (schema == "park"), name
            writes = connection.execute(
                "SELECT has_table_privilege('smartpark_grafana', %s::regclass, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                [f'{schema}."{name}"'],
            ).fetchone()
            assert writes == (False,), name
    assert not allowed(connection, "smartpark_grafana", "CREATE TABLE park.mine (x integer)")


def test_the_api_reads_and_does_not_write_readings(connection: Connection):
    assert allowed(connection, "smartpark_api", "SELECT * FROM smartpark.indicator")
    for statement in ("DELETE FROM smartpark.reading", "UPDATE smartpark.indicator_value SET value = 0"):
        assert not allowed(connection, "smartpark_api", statement)


def test_ingest_can_do_its_work_and_cannot_change_the_catalogue(
    database_dsn: str, connection: Connection, points: dict[str, int]
):
    with psycopg.connect(database_dsn, autocommit=True) as admin:
        set_password(admin, DatabaseRole.INGEST, "correct horse")
        stored = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'smartpark_ingest'").fetchone()
        assert stored[0].startswith("SCRAM-SHA-256$")
    as_ingest = psycopg.conninfo.make_conninfo(database_dsn, user="smartpark_ingest", password="correct horse")  # noqa: S106
    with connect(as_ingest, application="test ingest") as ingest:
        letter = DeadLetterRow("e", "t", DeadReason.OTHER, "", b"", None, None, NOON)
        store_batches(ingest, [batch(1, [(points[REGISTER], NOON_US, 1)], dead=[letter])], received_at=NOON)
        store_batches(ingest, [batch(2, floor=2)], received_at=NOON)
        rows = np.zeros(1, INTERVAL_DTYPE)
        rows["point_id"] = points[REGISTER]
        assert load_registry(ingest).version == 1
        record_birth(ingest, register_edge(ingest, "e"), Birth(edge="e", boot=1, session=1), NOON)
        assert [span.point_id for span in claim_stale(ingest, limit=9)] == [points[REGISTER]]
        assert write_interval_energy(ingest, rows) == 1
        indicator = IndicatorRow("hill", "i", "day", 0, 1.0, None, None, "t", 1.0, 0.0, "m", "f", (), "", 0)
        assert [publish_indicators(ingest, [replace(indicator, value=v)]) for v in (1.0, 2.0)] == [1, 1]
        assert not allowed(ingest, "smartpark_ingest", "UPDATE smartpark.point SET multiplier = 1")
        assert not allowed(ingest, "smartpark_ingest", "DELETE FROM smartpark.reading")

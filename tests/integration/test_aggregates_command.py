"""`smartpark aggregates` and `smartpark submissions`: files, cursors, digests, totals; sealing and verifying."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fix_api import PARK_FILE, ParkHand
from fix_provider import ENERGY, NOW, day, load_park, number, two_months
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark_api.aggregates.seal_keys import KEY_FILE_VARIABLE, load_key
from smartpark_storage import connect, publish_indicators
from smartpark_storage.access import AuditFilter, read_audit
from smartpark_storage.aggregates import number_publications


@pytest.fixture(scope="module")
def dsn(shared_plain_dsn, tmp_path_factory):
    """Two parks with two complete months."""
    folder = tmp_path_factory.mktemp("parks")
    for n, park in enumerate(("west", "east")):
        load_park(shared_plain_dsn, folder, park, "350301", n)
        publish(shared_plain_dsn, *two_months(park))
    return shared_plain_dsn


def publish(dsn, *rows):
    with connect(dsn, application="test") as connection:
        publish_indicators(connection, rows)
        connection.commit()
        number_publications(connection, wait=True)
        connection.commit()


@pytest.fixture
def run(dsn, monkeypatch, capsys):
    """Runs a command; gives its exit code and what it printed."""
    monkeypatch.setenv("SMARTPARK_DSN", dsn)
    monkeypatch.setattr("smartpark_api.aggregates.submission_terminal.utc_now", lambda: NOW)

    def command(*words):
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


@pytest.fixture
def fresh(dsn, tmp_path):
    """A new park with two complete months."""
    code = f"p{abs(hash(tmp_path)) % 10**9}"
    load_park(dsn, tmp_path, code, "350121", 9)
    publish(dsn, *two_months(code))
    return code


# --- aggregates ---


def test_every_form_of_file_holds_the_same_rows(run, tmp_path):
    counts = {}
    for form in ("ndjson", "csv", "parquet", "arrow"):
        code, out, _ = run("aggregates", "pull", "--park", "west", "--into", tmp_path / f"rows.{form}", "--json")
        assert code == 0
        counts[form] = json.loads(out)["rows"]
    lines = [json.loads(line) for line in (tmp_path / "rows.ndjson").read_text().splitlines()]
    table = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_bytes().decode(), newline="")))
    parquet = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    arrow = pa.ipc.open_stream((tmp_path / "rows.arrow").read_bytes()).read_all().to_pylist()
    assert set(counts.values()) == {len(lines)} == {41}
    assert [row["value"] for row in arrow] == [row["value"] for row in parquet] == [row["value"] for row in lines]
    assert [float(row["value"]) for row in table] == [row["value"] for row in lines]
    assert list(tmp_path.glob("*.part")) == []


def test_rows_of_many_pages_make_one_file(run, tmp_path, monkeypatch):
    monkeypatch.setattr("smartpark_api.aggregates.terminal.PAGE", 7)
    for form in ("csv", "parquet", "arrow"):
        assert run("aggregates", "pull", "--park", "west", "--into", tmp_path / f"a.{form}")[0] == 0
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 42
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 41
    assert pa.ipc.open_stream((tmp_path / "a.arrow").read_bytes()).read_all().num_rows == 41


def test_without_a_file_rows_go_to_standard_output(dsn):
    command = [sys.executable, "-c", "import sys; from smartpark.cli import main; sys.exit(main(sys.argv[1:]))"]
    done = subprocess.run(
        [*command, "aggregates", "pull", "--park", "west", "--grain", "month", "--boundary", "park"],
        env=os.environ | {"SMARTPARK_DSN": dsn},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["value"] for line in done.stdout.splitlines()] == [909.0, 910.0]


def test_with_a_cursor_file_only_what_is_new_is_written(run, dsn, fresh, tmp_path):
    cursor = tmp_path / "cursor"
    pull = ("aggregates", "pull", "--park", fresh, "--cursor-file", cursor)
    assert "41 rows" in run(*pull, "--into", tmp_path / "one.csv")[1]
    assert "0 rows" in run(*pull, "--into", tmp_path / "two.csv")[1]
    publish(dsn, number(fresh, 5.5, day(3)))
    assert "1 rows" in run(*pull, "--into", tmp_path / "three.ndjson")[1]
    (row,) = [json.loads(line) for line in (tmp_path / "three.ndjson").read_text().splitlines()]
    assert (row["value"], row["revision"]) == (5.5, 2)
    kept = cursor.read_text()
    code, _, error = run(*pull, "--into", tmp_path / "three.ndjson")
    assert (code, cursor.read_text()) == (1, kept)
    assert "there is a file already" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pull", "--into", "rows.xls"], "none of .ndjson, .csv, .parquet, .arrow"),
        (["pull", "--park", "nope"], "there is no park 'nope'"),
        (["pull", "--indicator", "heat"], "there is no indicator 'heat'"),
        (["pull", "--grain", "week"], "one of hour, day, month, year"),
        (["pull", "--from", "yesterday"], "'yesterday' is no instant"),
        (["totals", ENERGY, "day", "--from", "2026-10-02", "--to", "2026-10-01"], "has to be before"),
        (["totals", ENERGY, "day", "--from", "2026-10-01", "--to", "2026-10-02", "--region", "x"], "--region x"),
        (["totals", "maximum_demand", "day", "--from", "2026-10-01", "--to", "2026-10-02"], "there is no total"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run, words, said):
    code, out, error = run("aggregates", *words)
    assert (code, out) == (1, "")
    assert said in error


def test_digest_and_totals(run):
    code, out, _ = run("aggregates", "digest", "--park", "west", "--json")
    told = json.loads(out)
    assert (code, told["rows"], len(told["sha256"])) == (0, 41, 64)
    assert run("aggregates", "digest", "--park", "west")[1] == f"{told['sha256']}  41 rows\n"
    span = ("--from", "2026-10-01", "--to", "2026-11-01")
    code, out, _ = run("aggregates", "totals", ENERGY, "month", *span, "--region", "3503")
    assert code == 0
    assert "1,820.000 kWh" in out
    document = json.loads(run("aggregates", "totals", ENERGY, "month", *span, "--json")[1])
    assert document["totals"][0]["known"] >= 2


def test_reading_at_the_machine_itself_is_written_down_too(run, dsn, fresh):
    run("aggregates", "digest", "--park", fresh)
    with connect(dsn, application="test") as connection:
        line = read_audit(connection, AuditFilter(parks=[fresh]), limit=1)[0]
    assert (line.principal, line.action, line.park, line.rows) == ("local", "cli:aggregates digest", fresh, 41)


# --- submissions ---


@pytest.fixture
def key(tmp_path, run, monkeypatch):
    """A key as the command makes it, named to those that seal."""
    file = tmp_path / "seal.key"
    code, out, _ = run("submissions", "key", "make", "--into", file)
    assert code == 0
    assert "-----BEGIN PUBLIC KEY-----" in out
    assert "PRIVATE" not in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(file))
    return load_key(file)


def test_a_month_is_sealed_shown_handed_over_and_verified(run, dsn, fresh, key, tmp_path):
    code, out, _ = run("submissions", "seal", fresh, "2026-10", "--by", "chen", "--note", "10月月报")
    assert code == 0, out
    assert f"{fresh}/2026-10/1  5 rows, sealed by chen" in out
    assert fresh in run("submissions", "list", "--park", fresh)[1]
    publish(dsn, number(fresh, 1000.0, day(1), grain="month"))
    folder = tmp_path / "paper"
    code, out, _ = run("submissions", "show", f"{fresh}/2026-10/1", "--corrections", "--into", folder)
    assert code == 0
    assert f"park {ENERGY}: 910.0 (revision 1) -> 1000.0 (revision 2) kWh" in out
    public = tmp_path / "seal.pem"
    public.write_text((folder / "key.pem").read_text())
    code, out, _ = run("submissions", "verify", folder, "--key", public)
    assert code == 0
    assert f"holds: {fresh}/2026-10/1, 5 rows, sealed by chen" in out

    rows = folder / "rows.ndjson"
    rows.write_bytes(rows.read_bytes().replace(b"910.0", b"810.0"))
    code, out, _ = run("submissions", "verify", folder)
    assert code == 1
    assert out.startswith("does not hold:\n  the rows have the digest")
    told = json.loads(run("submissions", "verify", folder, "--json")[1])
    assert (told["holds"], len(told["complaints"])) == (False, 1)

    document = json.loads(run("submissions", "show", f"{fresh}/2026-10/1", "--corrections", "--json")[1])
    assert document["corrections"][0]["current"]["value"] == 1000.0
    with connect(dsn, application="test") as connection:
        lines = read_audit(connection, AuditFilter(parks=[fresh], action="cli:submissions seal"), limit=5)
    assert [(line.object, line.rows, line.detail["by"]) for line in lines] == [(f"{fresh}/2026-10/1", 5, "chen")]


def test_gaps_are_told_and_have_to_be_accepted(run, dsn, fresh, key):
    publish(dsn, number(fresh, 50.0, day(1), grain="month", completeness=0.5))
    seal = ("submissions", "seal", fresh, "2026-10", "--by", "chen")
    code, out, _ = run(*seal)
    assert code == 1
    assert f"  incomplete: park {ENERGY} 50.0% complete" in out
    assert "confirm them with --accept-incomplete" in out
    assert json.loads(run(*seal, "--json")[1])["submitted"] is None
    assert run("submissions", "list", "--park", fresh)[1] == ""
    code, out, _ = run(*seal, "--accept-incomplete")
    assert code == 0
    assert "incomplete: park" in out


def test_readings_that_wait_to_be_computed_are_a_gap(run, dsn, fresh, key, tmp_path):
    hand = ParkHand(dsn)
    hand.load(load_catalogue(PARK_FILE))
    publish(dsn, *(row for row in two_months("testpark") if row.boundary == "park"))
    assert run("submissions", "seal", "testpark", "2026-10-05", "--by", "chen")[0] == 0
    publish(dsn, number("testpark", 1.25, day(6)))
    hand.store(("testpark/M0/active_energy_import", day(6) + timedelta(hours=3), 100.0))
    code, out, _ = run("submissions", "seal", "testpark", "2026-10-06", "--by", "chen")
    assert code == 1
    assert "not_computed: park" in out
    assert "1 spans of readings wait to be computed" in out


def test_keys_rotate_and_a_retired_one_seals_no_more(run, fresh, key, tmp_path, monkeypatch):
    assert run("submissions", "seal", fresh, "2026-10", "--by", "chen")[0] == 0
    assert f"{key.key_id}  ours, known since" in run("submissions", "key", "list")[1]
    assert run("submissions", "key", "retire", key.key_id)[0] == 0
    code, _, error = run("submissions", "seal", fresh, "2026-09", "--by", "chen", "--accept-incomplete")
    assert code == 1
    assert f"the key {key.key_id} was retired" in error
    run("submissions", "key", "make", "--into", tmp_path / "next.key")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "next.key"))
    assert run("submissions", "seal", fresh, "2026-09", "--by", "chen", "--accept-incomplete")[0] == 0
    keys = json.loads(run("submissions", "key", "list", "--json")[1])
    retired = {one["key_id"]: one["retired_at"] for one in keys}
    assert retired[key.key_id] is not None
    assert retired[load_key(tmp_path / "next.key").key_id] is None
    run("submissions", "show", f"{fresh}/2026-10/1", "--into", tmp_path / "old")
    assert run("submissions", "verify", tmp_path / "old")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seal", "west", "october", "--by", "chen"], "'october' is no period"),
        (["seal", "nope", "2026-10", "--by", "chen"], "there is no park 'nope'"),
        (["seal", "west", "2999-10", "--by", "chen"], "2999-10"),
        (["show", "west/2026-10/99"], "there is no submission west/2026-10/99"),
        (["key", "retire", "ed25519-0"], "there is no key 'ed25519-0'"),
        (["verify", "nowhere"], "cannot be read"),
    ],
)
def test_what_cannot_be_submitted_is_told_in_one_line(run, key, words, said):
    code, _, error = run("submissions", *words)
    assert code == 1
    assert said in error


def test_without_a_key_nothing_is_sealed(run, monkeypatch):
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)
    code, _, error = run("submissions", "seal", "west", "2026-10", "--by", "chen")
    assert code == 1
    assert "submissions key make --into FILE" in error

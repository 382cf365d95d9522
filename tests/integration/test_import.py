"""`smartpark import`: files into readings, exactly, once, with what is wrong named."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fix_ingest import as_ingest, count, fetch, load_park
from smartpark.clock import utc_now
from waiting import wait_until

START = utc_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
WIDE = """\
[file]
shape = "wide"
time = "time"
time_zone = "UTC"
"""
LONG = """\
[file]
shape = "long"
time = "time"
time_zone = "Asia/Shanghai"
"""
KWH = '[[point]]\nname = "kWh"\npoint = "park/M1/active_energy_import"\n'
VOLT = '[[point]]\nname = "V"\npoint = "park/M1/voltage"\n'


@pytest.fixture
def dsn(database_dsn):
    load_park(database_dsn)
    return as_ingest(database_dsn)


@pytest.fixture
def run_import(smartpark, dsn, tmp_path):
    def run(files: dict[str, str | bytes], point_map: str, *arguments: str, exit_code: int = 0):
        (tmp_path / "map.toml").write_text(point_map)
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        paths = [str(tmp_path / name) for name in files]
        line = ("import", *paths, "--point-map", str(tmp_path / "map.toml"), "--json", *arguments)
        done = smartpark.run(*line, environment={"SMARTPARK_DSN": dsn})
        assert done.returncode == exit_code, done.stderr
        return json.loads(done.stdout) if exit_code == 0 else done.stderr

    return run


def stored(dsn, measurand="active_energy_import"):
    return fetch(
        dsn,
        "SELECT r.time, r.scaled, r.raw, r.status FROM smartpark.reading r JOIN smartpark.point p USING (point_id)"
        " WHERE p.measurand = %s ORDER BY r.time",
        measurand,
    )


def wide(rows: int, *, first: int = 0) -> str:
    lines = (
        f"{START + timedelta(minutes=first + n):%Y-%m-%d %H:%M:%S},{1000 + n // 10}.{n % 10}7,{230 + n % 7}.1\n"
        for n in range(rows)
    )
    return "time,kWh,V\n" + "".join(lines)


def rejected(path: Path) -> list[tuple[str, str, str]]:
    with path.open(newline="") as file:
        return [(row["row"], row["column"], row["text"]) for row in csv.DictReader(file)]


def test_decimals_of_a_wide_file_arrive_exactly(run_import, dsn):
    report = run_import({"a.csv": wide(3000)}, WIDE + KWH + VOLT)
    assert (report["readings"], report["rejected"]) == (6000, 0)
    rows = stored(dsn)
    assert [scaled for _, scaled, _, _ in rows] == [(1000 + n // 10) * 100 + 10 * (n % 10) + 7 for n in range(3000)]
    assert rows[0][0] == START
    assert all(raw is None for _, _, raw, _ in rows)


def test_a_file_that_comes_again_under_another_name_and_zipped_stores_nothing_twice(run_import, dsn):
    run_import({"a.csv": wide(100)}, WIDE + KWH + VOLT)
    again = run_import({"a.csv": wide(100), "b.csv.gz": gzip.compress(wide(100).encode())}, WIDE + KWH + VOLT)
    assert (again["readings"], again["known"]) == (0, 400)
    assert count(dsn, "smartpark.reading") == 200
    assert count(dsn, "park.edge") == 0, "no agent that is offline"


def test_a_point_that_is_added_to_the_map_is_imported_from_the_same_file(run_import, dsn):
    run_import({"a.csv": wide(100)}, WIDE + KWH)
    report = run_import({"a.csv": wide(100)}, WIDE + KWH + VOLT)
    assert (report["readings"], report["known"]) == (100, 100)


def test_a_killed_import_is_continued_without_loss_or_repetition(smartpark, dsn, tmp_path):
    (tmp_path / "a.csv").write_text(wide(400_000, first=-360_000))
    (tmp_path / "map.toml").write_text(WIDE + KWH + VOLT)
    line = ("import", str(tmp_path / "a.csv"), "--point-map", str(tmp_path / "map.toml"), "--json")
    process = smartpark.start(*line, environment={"SMARTPARK_DSN": dsn})
    wait_until(lambda: count(dsn, "smartpark.batch_ledger"), what="a first piece is stored", timeout_s=60)
    process.kill()
    before = count(dsn, "smartpark.reading")
    report = json.loads(smartpark.run(*line, environment={"SMARTPARK_DSN": dsn}).stdout)
    assert 0 < before < 800_000, "it was killed on the way"
    assert (report["readings"], report["known"]) == (800_000 - before, before)
    assert count(dsn, "smartpark.reading") == 800_000
    assert fetch(dsn, "SELECT count(DISTINCT (point_id, time)) FROM smartpark.reading") == [(800_000,)]


def test_wrong_rows_are_named_with_row_and_column_and_the_rest_is_stored(run_import, dsn, tmp_path):
    lines = wide(10).splitlines()
    lines[2] = lines[2].replace(",2", ",two-", 1)
    lines[4] = "no stamp at all,1.0,230.1"
    lines[6] = lines[6] + ",one cell too many"
    lines[8] = lines[8].rsplit(",", 1)[0] + ",99999999999"
    report = run_import({"a.csv": "\n".join(lines) + "\n"}, WIDE + KWH + VOLT)
    assert report["readings"] == 20 - 1 - 2 - 2 - 1
    found = rejected(tmp_path / "a.csv.rejected.csv")
    assert [(row, column) for row, column, _ in found] == [("3", "V"), ("5", "time"), ("7", ""), ("9", "V")]
    run_import({"a.csv": "\n".join(lines) + "\n"}, WIDE + KWH + VOLT)
    assert len(rejected(tmp_path / "a.csv.rejected.csv")) == 4, "told once"


def test_an_empty_cell_is_no_reading_and_never_zero(run_import, dsn):
    report = run_import({"a.csv": f"time,kWh,V\n{START:%Y-%m-%dT%H:%M:%SZ},,230.1\n"}, WIDE + KWH + VOLT)
    assert (report["readings"], report["rejected"]) == (1, 0)


def test_long_rows_carry_status_and_a_value_that_is_missing(run_import, dsn):
    at = f"{START:%Y-%m-%d %H:%M:%S}"
    text = f"time,point,value,status\n{at},kWh,12.34,\n{at},V,,0x809B0000\n{at},V,,0\n{at},elsewhere,1,0\n"
    report = run_import({"a.csv": text}, LONG + 'status = "status"\n' + KWH + VOLT)
    assert (report["readings"], report["rejected"]) == (2, 2)
    assert report["files"][0]["unknown"] == {"elsewhere": 1}
    assert stored(dsn) == [(START - timedelta(hours=8), 1234, None, 0)], "stamps were of the park's zone"
    assert stored(dsn, "voltage") == [(START - timedelta(hours=8), None, None, 0x809B0000 - 2**32)]


def test_a_stamp_of_an_intervals_start_is_filed_at_its_end(run_import, dsn):
    form = WIDE + 'stamp = "start"\ninterval_s = 900\n'
    run_import({"a.csv": wide(1)}, form + KWH + VOLT)
    assert stored(dsn)[0][0] == START + timedelta(minutes=15)


def test_another_unit_separator_and_decimal_comma(run_import, dsn):
    form = WIDE + 'separator = ";"\ndecimal = ","\ntime_format = "%d.%m.%Y %H:%M"\n'
    text = f"time;MWh\n{START:%d.%m.%Y %H:%M};1,23456\n"
    run_import(
        {"a.csv": text}, form + '[[point]]\nname = "MWh"\npoint = "park/M1/active_energy_import"\nscale = "1000"\n'
    )
    assert stored(dsn) == [(START, 123456, None, 0)]


def test_an_hour_that_a_change_of_clocks_repeats_is_set_aside(run_import, dsn, tmp_path):
    form = WIDE.replace("UTC", "Europe/Paris")
    text = "time,kWh,V\n2025-10-26 02:30:00,1.00,230.1\n2025-10-26 03:30:00,2.00,230.1\n"
    report = run_import({"a.csv": text}, form + KWH + VOLT, "--max-age-days", "9999")
    assert (report["readings"], report["rejected"]) == (2, 1)
    assert stored(dsn)[0][0] == datetime(2025, 10, 26, 2, 30, tzinfo=UTC)


def test_parquet_gives_the_same_readings_as_csv(run_import, dsn, tmp_path):
    lines = [line.split(",") for line in wide(500).splitlines()[1:]]
    table = pa.table(
        {
            "time": pa.array([datetime.fromisoformat(row[0]) for row in lines], pa.timestamp("ms")),
            "kWh": pa.array([float(row[1]) for row in lines]),
            "V": pa.array([float(row[2]) for row in lines], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "made.parquet")
    report = run_import({"a.parquet": (tmp_path / "made.parquet").read_bytes()}, WIDE + KWH + VOLT)
    assert (report["readings"], report["rejected"]) == (1000, 0)
    assert [row[1] for row in stored(dsn, "voltage")] == [2301 + 10 * (n % 7) for n in range(500)]


def test_what_the_map_gets_wrong_is_told_at_once_and_nothing_is_read(run_import, dsn):
    wrong = KWH.replace("M1/", "M999/") + VOLT.replace("voltage", "colour")
    told = run_import({"a.csv": wide(1)}, WIDE + wrong, exit_code=2)
    assert "park/M999/active_energy_import" in told
    assert "park/M1/colour" in told
    told = run_import({"a.csv": wide(1)}, WIDE + VOLT.replace('"V"', '"Volt"'), exit_code=2)
    assert "a.csv: Volt: no such column" in told
    assert count(dsn, "smartpark.reading") == 0


def test_a_dry_run_stores_nothing(run_import, dsn):
    assert run_import({"a.csv": wide(5)}, WIDE + KWH + VOLT, "--dry-run")["readings"] == 10
    assert count(dsn, "smartpark.reading") == 0

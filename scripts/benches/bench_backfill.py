"""Backfill: a year of meters that speak every minute, imported from a file by `smartpark import` as people run it.

The readings are real ones where SMARTPARK_SHARED_DATA names a folder with electricity/household_1min (Individual
household electric power consumption, UCI 235, CC BY 4.0): the year 2008 of one household, as power, voltage, current
and a register summed up from the power. Each meter after the first has the same year begun at another minute. Without
that folder the readings are made, and the report says so. Bytes on disk are those of the whole table, indexes too,
just after the import; memory is the importer's.
"""

import argparse
import gzip
import io
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
from servers import Server, installed_timescale, plain_server, table_bytes, timescale_server
from smartpark.catalogue import parse_catalogue
from smartpark.cli import command_line
from smartpark.clock import utc_now, utc_now_us
from smartpark_storage import connect, describe_database, load_catalogue

Say = Callable[[str], None]

PARK: Final = "bench"
MINUTES: Final = 525_600
_MINUTE_US: Final = 60_000_000
_REAL: Final = "electricity/household_1min/householdpower_2008-01_12.csv.gz"
_POINTS: Final = {
    "active_energy_import": "0.01",
    "active_power": "0.001",
    "voltage": "0.01",
    "current": "0.1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--meters", type=int, default=10, metavar="N", help="of four points each (default 10)")
    parser.add_argument("--days", type=int, default=365, metavar="N", help="default 365")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of the file (default csv)")
    parser.add_argument(
        "--database", choices=("auto", "timescale", "plain"), default="auto", help="default: TimescaleDB if installed"
    )


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Make the file, import it, and look at the table."""
    programs = None if arguments.database == "plain" else installed_timescale()
    if programs is None and arguments.database == "timescale":
        raise SystemExit("scripts/bench: no PostgreSQL with TimescaleDB is installed here")
    with (
        timescale_server(programs) if programs else plain_server() as server,
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as name,
    ):
        folder = Path(name)
        columns, source = household(arguments.days * 1440)
        say(f"{source}: {arguments.meters} meters, {arguments.days} days")
        file = _write(folder, columns, arguments)
        label = _prepare(server, arguments.meters)
        say(f"{label}: importing {file.stat().st_size / 2**20:.0f} MB")
        return {
            "database": label,
            **({} if programs else {"columnstore": "not there: plain PostgreSQL has none, bytes are of its rows"}),
            **_import(server, file, folder / "map.toml"),
            "meters": arguments.meters,
            "days": arguments.days,
            "source": source,
            "file": f"{arguments.format}, {file.stat().st_size / 2**20:.0f} MB",
        }


def household(minutes: int) -> tuple[dict[str, np.ndarray], str]:
    """What one meter shows, by measurand, and where it is from."""
    shared = os.environ.get("SMARTPARK_SHARED_DATA")
    file = Path(shared) / _REAL if shared else None
    if file is not None and file.exists():
        with gzip.open(file) as stream:
            table = pv.read_csv(io.BytesIO(stream.read()))
        power, voltage, current = (
            np.resize(table.column(name).to_numpy(), minutes)
            for name in ("Global_active_power", "Voltage", "Global_intensity")
        )
        source = "real readings: household_1min 2008 (UCI 235, CC BY 4.0)"
    else:
        random = np.random.default_rng(1)
        hour = np.arange(minutes) / 60 % 24
        power = np.round(np.abs(0.4 + 1.2 * (hour > 17) + np.cumsum(random.normal(0, 0.05, minutes)) % 3), 3)
        voltage = np.round(240 + random.normal(0, 1, minutes), 2)
        current = np.round(power * 1000 / voltage, 1)
        source = "generated readings: SMARTPARK_SHARED_DATA names no folder with household_1min"
    register = np.floor(np.cumsum(power) / 60 * 100 + 1e-6) / 100
    return {"active_energy_import": register, "active_power": power, "voltage": voltage, "current": current}, source


def _write(folder: Path, columns: dict[str, np.ndarray], arguments: argparse.Namespace) -> Path:
    minutes = arguments.days * 1440
    start = utc_now_us() // 86_400_000_000 * 86_400_000_000 - (minutes + 1440) * _MINUTE_US
    times = pa.array(start + np.arange(minutes) * _MINUTE_US).cast(pa.timestamp("us", "UTC"))
    table: dict[str, Any] = {"time": times.cast(pa.timestamp("s", "UTC"))}
    lines = ['[file]\nshape = "wide"\ntime = "time"\ntime_zone = "UTC"\n']
    for meter in range(arguments.meters):
        for measurand, values in columns.items():
            name = f"M{meter} {measurand}"
            table[name] = _of_meter(measurand, values, meter)
            lines.append(f'[[point]]\nname = "{name}"\npoint = "{PARK}/M{meter}/{measurand}"\n')
    (folder / "map.toml").write_text("\n".join(lines), encoding="utf-8")
    file = folder / f"year.{arguments.format}"
    if arguments.format == "csv":
        pv.write_csv(pa.table(table), file)
    else:
        pq.write_table(pa.table(table), file)
    return file


def _of_meter(measurand: str, values: np.ndarray, meter: int) -> np.ndarray:
    """The same year begun at another minute; a register goes on growing."""
    begin = meter * 9_973 % len(values)
    if measurand != "active_energy_import":
        return np.roll(values, -begin)
    steps = np.roll(np.diff(np.rint(values * 100), prepend=0.0), -begin)
    return (np.cumsum(steps) + 100_000 * meter) / 100


def _prepare(server: Server, meters: int) -> str:
    listed = [{"measurand": name, "resolution": resolution} for name, resolution in _POINTS.items()]
    names = {"name": PARK, "name_en": PARK}
    document = {
        "park": {**names, "code": PARK, "region": "350121", "terrain": "coastal", "peer_class": 1, "area_mu": 100.0},
        "device": [
            {"code": f"M{n}", "name": f"M{n}", "name_en": f"M{n}", "kind": "meter", "carrier": "electricity"}
            | {"point": listed}
            for n in range(meters)
        ],
    }
    with connect(server.dsn, application="bench") as connection:
        load_catalogue(
            connection, parse_catalogue(document, file="bench"), source="bench", loaded_by="bench", at=utc_now()
        )
        return describe_database(connection).label


def _import(server: Server, file: Path, point_map: Path) -> dict[str, Any]:
    command = command_line("import", str(file), "--point-map", str(point_map), "--json")
    environment = {**os.environ, "SMARTPARK_DSN": server.dsn, "SMARTPARK_LOG_LEVEL": "WARNING"}
    before, began = server.cpu_seconds(), time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, stdout=told, env=environment)
        usage, peak_mb = watch(process)
        seconds = time.monotonic() - began
        if process.returncode:
            raise SystemExit("scripts/bench: smartpark import failed")
        told.seek(0)
        report = json.load(told)
    readings = report["readings"]
    spent = {kind: round(now - before[kind], 2) for kind, now in server.cpu_seconds().items()}
    return {
        "readings_per_second": round(readings / seconds),
        "bytes_per_reading": round(table_bytes(server.dsn) / max(readings, 1), 2),
        "readings": readings,
        "peak_memory_mb": peak_mb,
        "seconds": round(seconds, 1),
        "cpu_seconds_by_process": {**spent, "smartpark import": round(usage.ru_utime + usage.ru_stime, 2)},
        "rejected": report["rejected"],
    }


def watch(process: subprocess.Popen[bytes]) -> tuple[resource.struct_rusage, int]:
    """Wait for a process; what it used, and the most memory it had in MB."""
    peak_kb = 0
    while True:
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            peak_kb = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, round(peak_kb / 1024)
        time.sleep(0.02)

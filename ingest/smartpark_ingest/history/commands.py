"""`smartpark import`: history from CSV and Parquet files."""

import argparse
import json
import sys
import threading
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers

if TYPE_CHECKING:
    from smartpark_ingest.history.importing import FileReport, Importer

_MAP = """\
The point map says how the files look and which column (wide) or name (long) is which point:

  [file]
  shape = "wide"                  # a column per point; or "long": columns time, point, value
  time = "time"
  time_zone = "Asia/Shanghai"     # of stamps without offset
  stamp = "start"                 # what a stamp names: "instant", or "start" or "end" of an interval
  interval_s = 60

  [[point]]
  name = "T01 kWh"
  point = "minhou/T01/active_energy_import"

docs/import.md has every key.
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark import``."""
    one = subparsers.add_parser(
        "import",
        help="history from CSV and Parquet files, each reading exactly once",
        description=(
            "Imports readings from files. May be broken off at any time and started again: what is stored is not "
            "stored twice, neither when a file comes again under another name. What cannot be taken is set aside in "
            "FILE.rejected.csv with row, column and reason. The database is the one of SMARTPARK_DSN."
        ),
        epilog=_MAP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("file", type=Path, nargs="+", metavar="FILE", help="*.csv, *.csv.gz, *.parquet")
    one.add_argument("--point-map", type=Path, required=True, metavar="MAP.toml", help="how to read them")
    one.add_argument(
        "--rejects", type=Path, metavar="FOLDER", help="where wrong rows are set aside (default: beside)"
    )
    one.add_argument(
        "--max-age-days",
        type=int,
        default=1800,
        metavar="D",
        help="older readings are set aside (default 1800: the database drops raw readings after five years)",
    )
    one.add_argument("--dry-run", action="store_true", help="read and judge everything, store nothing")
    one.add_argument("--json", action="store_true", help="one JSON object: files, readings, known, rejected, unknown")
    one.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now_us
    from smartpark_storage import dsn_from_environment, load_registry

    from smartpark_ingest.admission import Limits
    from smartpark_ingest.counters import Counters
    from smartpark_ingest.database import PatientDatabase
    from smartpark_ingest.history.importing import Importer, check_files
    from smartpark_ingest.history.mapfile import load_point_map
    from smartpark_ingest.history.sorting import Sorter

    database = PatientDatabase(
        dsn_from_environment(), application="smartpark import", stop=threading.Event(), counters=Counters()
    )
    try:
        registry = database.run(load_registry)
        point_map = load_point_map(arguments.point_map, registry)
        check_files(arguments.file, point_map)
        limits = Limits(max_age_us=timedelta(days=arguments.max_age_days) // timedelta(microseconds=1))
        sorter = Sorter(point_map, registry, limits, now_us=utc_now_us())
        reports = _import_all(arguments, Importer(database, point_map, sorter, _tell))
    finally:
        database.close()
    if arguments.json:
        print(json.dumps(_summary(reports, arguments), ensure_ascii=False))
    else:
        for report in reports:
            print(_in_words(report, dry_run=arguments.dry_run))
    return 0


def _import_all(arguments: argparse.Namespace, importer: "Importer") -> "list[FileReport]":
    from tqdm import tqdm

    from smartpark_ingest.history.rejects import Rejects

    reports: list[FileReport] = []
    for path in arguments.file:
        folder: Path = arguments.rejects or path.parent
        with tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=path.name, disable=None) as bar:
            reports.append(
                importer.import_file(
                    path,
                    Rejects(folder / f"{path.name}.rejected.csv"),
                    dry_run=arguments.dry_run,
                    progress=lambda done, bar=bar: bar.update(done - bar.n),
                )
            )
    return reports


def _tell(message: str) -> None:
    from tqdm import tqdm

    tqdm.write(f"smartpark: {message}", file=sys.stderr)


def _summary(reports: "list[FileReport]", arguments: argparse.Namespace) -> dict[str, object]:
    return {
        "readings": sum(report.readings for report in reports),
        "known": sum(report.known for report in reports),
        "rejected": sum(report.rejected for report in reports),
        "dry_run": arguments.dry_run,
        "files": [asdict(report) for report in reports],
    }


def _in_words(report: "FileReport", *, dry_run: bool) -> str:
    stored = "would be stored" if dry_run else "stored"
    words = f"{report.file}: {report.readings} readings {stored}"
    if report.known:
        words += f", {report.known} known from before"
    if report.rejected:
        words += f", {report.rejected} set aside in {report.rejects}"
    return words

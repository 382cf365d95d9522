"""`smartpark outlook`: the load ahead and the capacity that is free, computed now and then and kept."""

import argparse
import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.metrics_options import add_metrics_options, metrics_address

if TYPE_CHECKING:
    from smartpark.workdays import WorkdayCalendar

_log = logging.getLogger(__name__)

_DESCRIPTION = """\
Keeps what `smartpark forecast` and `smartpark headroom` answer, dated, so that Grafana can show it and it can be held
against what came: each full hour the load of the next days of every park, each day as of the park's midnight the free
capacity of its feeders, transformers and contracts; and when it starts, the limits that stacks are held to. A run is
written once; to be killed and begun again, or to run twice, changes nothing. What was missed is not made up for, and
what is not known says why. Old runs are deleted.

The database comes from SMARTPARK_DSN; holidays that the built-in calendar does not have yet from the file that
SMARTPARK_WORKDAYS names. Methods: docs/methods/load-forecast.md, docs/methods/headroom.md.
"""


def register_outlook(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark outlook`` and its verb."""
    verbs = command_group(subparsers, "outlook", "the load ahead and the capacity that is free, kept")
    parser: argparse.ArgumentParser = subparsers.choices["outlook"]
    parser.description, parser.formatter_class = _DESCRIPTION, argparse.RawDescriptionHelpFormatter
    run = verbs.add_parser("run", help="keep forecasts and free capacity, for good", description=_DESCRIPTION)
    run.formatter_class = argparse.RawDescriptionHelpFormatter
    run.add_argument("--once", action="store_true", help="keep what is due now, and end")
    run.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    run.add_argument("--park", nargs="+", default=[], metavar="CODE", help="only these parks (default all)")
    for name, default, most, meaning in (
        ("--forecast-hours", 1, 24, "hours from one forecast to the next, counted from midnight"),
        ("--headroom-days", 1, 366, "days from one run of free capacity to the next"),
        ("--days-ahead", 2, 14, "days that a forecast looks ahead"),
        ("--keep-forecasts", 92, 9999, "days that forecasts are kept"),
        ("--keep-headroom", 1100, 9999, "days that runs of free capacity are kept"),
    ):
        run.add_argument(
            name, type=_up_to(most), default=default, metavar="N", help=f"{meaning}: 1 to {most} (default {default})"
        )
    add_metrics_options(run)
    run.set_defaults(run=_run)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if text.isascii() and text.isdigit() and 0 < int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most}")

    return number


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.outlook.worker import OutlookWorker, Wanted

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    wanted = Wanted(
        parks=tuple(arguments.park),
        forecast_hours=arguments.forecast_hours,
        headroom_days=arguments.headroom_days,
        days_ahead=arguments.days_ahead,
        forecasts_kept_days=arguments.keep_forecasts,
        headroom_kept_days=arguments.keep_headroom,
    )
    worker = OutlookWorker(dsn_from_environment(), stop, _calendar(), wanted)
    with vitals_port(worker.vitals, metrics_address(arguments)):
        if arguments.once:
            worker.run_once()
        else:
            worker.run()
    done = asdict(worker.totals)
    if arguments.json:
        print(json.dumps(done))
    else:
        _log.info("outlook: %s", ", ".join(f"{name} {value}" for name, value in done.items()))
    return 1 if arguments.once and worker.totals.failures else 0


def _calendar() -> "WorkdayCalendar":
    from smartpark.workdays import builtin_workdays, load_workdays

    file = os.environ.get("SMARTPARK_WORKDAYS")
    return load_workdays(Path(file)) if file else builtin_workdays()

"""`smartpark derive run` and `smartpark derive recompute`."""

import argparse
import json
import logging
import signal
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime, time
from types import FrameType
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers
from smartpark.clock import PARK_ZONE, parse_instant, to_us, utc_now_us
from smartpark.errors import SmartparkError

if TYPE_CHECKING:
    from smartpark_ingest.derive import StepReport
    from smartpark_ingest.derive_worker import DeriveWorker

_log = logging.getLogger(__name__)


def register_derive(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs of ``smartpark derive``."""
    _register_run(verbs)
    _register_recompute(verbs)


def _register_run(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    run = verbs.add_parser(
        "run",
        help="compute interval energy and indicators from what is stale",
        description=(
            "Computes the quarter-hours, hours and days that new readings have touched, and publishes a new revision "
            "of what changed; late readings correct what was published. The database's address comes from "
            "SMARTPARK_DSN. May be killed at any time; any number may run side by side. Ends on SIGTERM or SIGINT."
        ),
    )
    run.add_argument("--once", action="store_true", help="end when nothing is stale any more")
    run.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    run.set_defaults(run=_run)


def _register_recompute(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    recompute = verbs.add_parser(
        "recompute",
        help="compute a park's days anew, after its factors or its catalogue changed",
        description=(
            "Marks the counters of a park as stale from one instant to another and computes until nothing is stale. "
            "What comes out the same keeps its revision. Dates are those of Asia/Shanghai; the end is left out."
        ),
    )
    recompute.add_argument("--park", required=True, metavar="CODE", help="code of the park, as in its catalogue")
    recompute.add_argument(
        "--from", required=True, dest="start", type=_instant, metavar="DATE", help="first day, e.g. 2026-11-01"
    )
    recompute.add_argument("--to", dest="end", type=_instant, metavar="DATE", help="day after the last; default: now")
    recompute.add_argument("--mark-only", action="store_true", help="leave the computing to `derive run`")
    recompute.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    recompute.set_defaults(run=_recompute)


def _instant(text: str) -> int:
    """Microseconds of a date in the park's zone, or of an ISO 8601 instant."""
    try:
        if len(text) == len("2026-11-01"):
            midnight = datetime.combine(datetime.fromisoformat(text).date(), time.min, tzinfo=PARK_ZONE)
            return to_us(midnight.astimezone(UTC))
        return to_us(parse_instant(text, default_zone=PARK_ZONE))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-01, nor an instant") from None


def _worker() -> "DeriveWorker":
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.derive_worker import DeriveWorker

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    return DeriveWorker(dsn_from_environment(), stop)


def _run(arguments: argparse.Namespace) -> int:
    worker = _worker()
    if arguments.once:
        worker.run_once()
    else:
        worker.run()
    return _tell(worker, as_json=arguments.json)


def _tell(worker: "DeriveWorker", *, as_json: bool) -> int:
    totals = worker.totals
    if as_json:
        print(json.dumps(asdict(totals)))  # noqa: T201  a command speaks to its user
    else:
        _log.info(
            "derived: %d quarter-hours changed, %d indicator revisions published, %d not for want of a factor",
            totals.intervals_changed,
            totals.indicators_published,
            totals.not_published,
        )
    return 0


def _recompute(arguments: argparse.Namespace) -> int:
    from smartpark_ingest.recompute import mark_park_stale

    park, start = str(arguments.park), int(arguments.start)
    end = min(utc_now_us(), int(arguments.end)) if arguments.end is not None else utc_now_us()
    if end <= start:
        raise SmartparkError("the span to recompute is empty: --from must lie before --to, and in the past")
    worker = _worker()
    marked = worker.work(lambda connection: mark_park_stale(connection, park, start, end))
    _log.info("%d counters of %s marked", marked, park)
    if arguments.mark_only:
        worker.close()
    else:
        _compute(worker, marked)
    return _tell(worker, as_json=arguments.json)


def _compute(worker: "DeriveWorker", marked: int) -> None:
    from tqdm import tqdm

    with tqdm(total=marked, unit=" counters", file=sys.stderr, disable=None) as bar:
        done = set[int]()

        def progress(report: "StepReport") -> None:
            done.update(report.points)
            bar.update(len(done) - bar.n)
            if bar.disable:
                _log.info("%d of %d counters done", len(done), marked)

        worker.run_once(progress)

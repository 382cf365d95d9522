"""`smartpark derive`: recompute a stretch of a park; and its verbs `run` and `mark`."""

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from datetime import time as clock_time
from types import FrameType
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.clock import PARK_ZONE, parse_instant, to_us, utc_now_us
from smartpark.errors import SmartparkError
from smartpark.metrics_options import add_metrics_options, metrics_address

if TYPE_CHECKING:
    from smartpark_ingest.database import PatientDatabase
    from smartpark_ingest.derive_worker import DeriveWorker
    from smartpark_ingest.recompute import Part, RecomputeReport

_log = logging.getLogger(__name__)

_DESCRIPTION = """\
Derives interval energy and indicators from what was stored. `smartpark derive run` does so for good, with what new
readings have touched. Without a verb this command computes parks anew from one day to another, as after a change of
factors, catalogue or methods:

  smartpark derive --park P --from 2026-01-01 --to 2027-01-01 --workers 2

It works month by month, each month of a park by itself: in this process, on --workers processes of this machine, or
on the workers of a Dask cluster (--scheduler tcp://HOST:8786; each has SMARTPARK_DSN in its own environment). What
comes out the same keeps its revision. It may be killed at any time and begun again, any of its workers may be killed,
and it may run beside `derive run`: that costs time and changes nothing. Dates are those of Asia/Shanghai; the end is
left out.
"""


def register_derive(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark derive`` and its verbs."""
    verbs = command_group(subparsers, "derive", "interval energy and indicators from what was stored")
    parser: argparse.ArgumentParser = subparsers.choices["derive"]
    # Of all groups the only one that does something by itself.
    verbs.required = False
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_stretch(parser, needed=False)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="processes on this machine (default 1)"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="compute on this Dask cluster, e.g. tcp://scheduler:8786"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    parser.set_defaults(run=_recompute, complain=parser.error)
    _register_run(verbs)
    _register_mark(verbs)


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
    add_metrics_options(run)
    run.set_defaults(run=_run)


def _register_mark(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    mark = verbs.add_parser(
        "mark",
        help="leave computing a stretch of a park anew to `derive run`",
        description=(
            "Marks the counters of parks as stale from one day to another, as if their readings had just come; a "
            "running `smartpark derive run` computes them anew. For years, `smartpark derive --from` is faster."
        ),
    )
    _add_stretch(mark, needed=True)
    mark.set_defaults(run=_mark)


def _add_stretch(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument(
        "--park", required=needed, nargs="+", metavar="CODE", help="codes of parks, as in their catalogues"
    )
    parser.add_argument(
        "--from", required=needed, dest="start", type=_instant, metavar="DATE", help="first day, e.g. 2026-11-01"
    )
    parser.add_argument("--to", dest="end", type=_instant, metavar="DATE", help="day after the last; default: now")


def _positive(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")


def _instant(text: str) -> int:
    """Microseconds of a date in the park's zone, or of an ISO 8601 instant."""
    try:
        if len(text) == len("2026-11-01"):
            midnight = datetime.combine(datetime.fromisoformat(text).date(), clock_time.min, tzinfo=PARK_ZONE)
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


def _database() -> "PatientDatabase":
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.counters import Counters
    from smartpark_ingest.database import PatientDatabase

    return PatientDatabase(
        dsn_from_environment(), application="smartpark derive", stop=threading.Event(), counters=Counters()
    )


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port

    worker = _worker()
    with vitals_port(worker.vitals, metrics_address(arguments)):
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


def _stretch(arguments: argparse.Namespace) -> tuple[int, int]:
    start, now = int(arguments.start), utc_now_us()
    end = now if arguments.end is None else min(now, int(arguments.end))
    if end <= start:
        raise SmartparkError("the span to recompute is empty: --from must lie before --to, and in the past")
    return start, end


def _mark(arguments: argparse.Namespace) -> int:
    from smartpark_ingest.recompute import mark_park_stale

    start, end = _stretch(arguments)
    with closing(_database()) as database:
        for park in arguments.park:
            marked = database.run(lambda connection, p=str(park): mark_park_stale(connection, p, start, end))
            _log.info("%d counters of %s marked", marked, park)
    return 0


def _recompute(arguments: argparse.Namespace) -> int:
    if not arguments.park or arguments.start is None:
        arguments.complain("give --park and --from to compute a stretch anew, or a verb: run, mark")
    from smartpark_ingest.recompute import counters_of, parts_of

    (start, end), began_s = _stretch(arguments), time.monotonic()
    with closing(_database()) as database:
        for park in arguments.park:
            # One that does not exist is told before any other is computed.
            database.run(lambda connection, p=str(park): counters_of(connection, p))
    parts = [part for park in arguments.park for part in parts_of(park, start, end)]
    report = _with_progress(parts, lambda progress: _compute(arguments, parts, progress))
    for message in sorted(set(report.missing)):
        _log.warning("not published: %s", message)
    if arguments.json:
        told = asdict(report) | {
            "not_published": len(report.missing),
            "seconds": round(time.monotonic() - began_s, 3),
        }
        print(json.dumps({name: value for name, value in told.items() if name != "missing"}))  # noqa: T201  the answer
    else:
        _log.info(
            "recomputed %d months of parks from %d readings: %d quarter-hours changed, %d indicator revisions "
            "published, %d not for want of a factor",
            report.parts,
            report.readings,
            report.intervals_changed,
            report.indicators_published,
            len(report.missing),
        )
    return 0


def _compute(
    arguments: argparse.Namespace, parts: "list[Part]", progress: "Callable[[Part, int], None]"
) -> "RecomputeReport":
    """Compute parts where the arguments say."""
    if arguments.scheduler is not None:
        from smartpark_ingest.recompute_cluster import recompute_on_cluster

        return recompute_on_cluster(parts, str(arguments.scheduler), progress)
    if arguments.workers > 1:
        from smartpark_ingest.recompute_pool import recompute_in_processes

        return recompute_in_processes(parts, int(arguments.workers), progress)
    from smartpark_ingest.recompute import RecomputeReport, recompute_part

    report = RecomputeReport()
    for part in parts:
        report.add(recompute_part(part, lambda days, p=part: progress(p, days)))
    return report


def _with_progress(
    parts: "list[Part]", work: "Callable[[Callable[[Part, int], None]], RecomputeReport]"
) -> "RecomputeReport":
    """Work under a progress bar of days; where nobody watches, a line in the log per tenth."""
    from tqdm import tqdm

    done = dict.fromkeys(parts, 0)
    total = sum(len(part.days) for part in parts)
    with tqdm(total=total, unit=" days", file=sys.stderr, disable=None) as bar:

        def progress(part: "Part", days: int) -> None:
            tenth = 10 * sum(done.values()) // total
            done[part] = days
            bar.set_postfix_str(f"{part.park} {part.month}", refresh=False)
            # Set, not added: a part that is begun again takes its days back.
            bar.update(sum(done.values()) - bar.n)
            if bar.disable:
                _log.log(
                    logging.INFO if 10 * sum(done.values()) // total > tenth else logging.DEBUG,
                    "%d of %d days done, now at %s %s",
                    sum(done.values()),
                    total,
                    part.park,
                    part.month,
                )

        return work(progress)

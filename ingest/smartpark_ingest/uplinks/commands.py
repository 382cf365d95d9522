"""`smartpark uplink`: check, run, show and status of what is pushed to platforms elsewhere."""

import argparse
import json
import logging
import signal
import threading
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from smartpark.cli import Subparsers, command_group
from smartpark.metrics_options import add_metrics_options, metrics_address

_log = logging.getLogger(__name__)

_DESCRIPTION = """\
Pushes published numbers to a platform that exists in the field, in its own protocol: the monitoring of key energy
users (NECC-NHJC) or HJ 212 for environment stations. One file of settings is one uplink, and one process serves it.

What is told is what is published, and nothing else: a number without a value is withheld and named by `status`. Each
item of each period is told until the platform acknowledges it, and again when it is corrected; killed at any moment
and begun again, the worker goes on where the platform stopped acknowledging. The database comes from SMARTPARK_DSN,
secrets from files that the settings name. See docs/uplinks.md.
"""


def register_uplink(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark uplink`` and its verbs."""
    verbs = command_group(subparsers, "uplink", "push published numbers to platforms elsewhere")
    parser: argparse.ArgumentParser = subparsers.choices["uplink"]
    parser.description, parser.formatter_class = _DESCRIPTION, argparse.RawDescriptionHelpFormatter
    check = verbs.add_parser(
        "check",
        help="report every problem of settings files, with file and key",
        description=(
            "Reads settings and the secrets that they name, and says everything that is wrong with them. It connects "
            "nowhere. Exit code 2: there are problems."
        ),
    )
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="settings (TOML)")
    check.set_defaults(run=_check)
    run = verbs.add_parser("run", help="tell one platform, for good", description=_DESCRIPTION)
    run.formatter_class = argparse.RawDescriptionHelpFormatter
    run.add_argument("file", type=Path, metavar="FILE", help="settings (TOML)")
    run.add_argument("--once", action="store_true", help="tell what may be told by now, and end")
    run.add_argument("--json", action="store_true", help="one JSON object at the end: what was done")
    add_metrics_options(run)
    run.set_defaults(run=_run)
    show = verbs.add_parser(
        "show",
        help="what would be told next; nothing is sent",
        description=(
            "Prints what a worker would tell the platform now, in the platform's words, and what it would withhold. "
            "Nothing is sent, queued or registered. Try it before you connect anything."
        ),
    )
    show.add_argument("file", type=Path, metavar="FILE", help="settings (TOML)")
    show.add_argument("--limit", type=int, default=20, metavar="N", help="at most N items (default 20)")
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    show.set_defaults(run=_show)
    status = verbs.add_parser(
        "status",
        help="how far uplinks have come: told, waiting, withheld and why",
        description=(
            "Of each uplink how many items were acknowledged, wait or are withheld, since when the platform cannot "
            "be told, and the newest error. With a name also how much of the last 31 days was acknowledged, by "
            "grain, and what is withheld, by item and reason."
        ),
    )
    status.add_argument("name", nargs="?", help="of one uplink")
    status.add_argument("--json", action="store_true", help="one JSON object a line")
    status.set_defaults(run=_status)


def _check(arguments: argparse.Namespace) -> int:
    from smartpark.errors import InvalidFileError, Problem

    from smartpark_ingest.uplinks.kinds import load_uplink

    problems: list[Problem] = []
    for path in arguments.files:
        try:
            uplink = load_uplink(path)
        except InvalidFileError as error:
            problems += error.problems
        else:
            print(f"{path}: uplink {uplink.name} ({uplink.kind}) tells {len(uplink.series)} items")
    if problems:
        raise InvalidFileError(problems)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.uplinks.kinds import load_uplink
    from smartpark_ingest.uplinks.worker import UplinkWorker

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    uplink = load_uplink(arguments.file)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    worker = UplinkWorker(dsn_from_environment(), stop, uplink)
    with vitals_port(worker.vitals, metrics_address(arguments)):
        if arguments.once:
            worker.run_once()
        else:
            worker.run()
    vitals = worker.vitals
    told = {
        "uplink": uplink.name,
        "planned": vitals.planned,
        "told": vitals.told,
        "acknowledged": vitals.taken,
        "refused": vitals.refused,
        "trouble": vitals.trouble,
    }
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _log.info("uplink %s", ", ".join(f"{name} {value}" for name, value in told.items() if value != ""))
    return 1 if arguments.once and vitals.trouble else 0


def _show(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment

    from smartpark_ingest.uplinks.kinds import load_uplink
    from smartpark_ingest.uplinks.preview import preview

    uplink = load_uplink(arguments.file)
    with closing(connect(dsn_from_environment(), application="smartpark uplink show")) as connection:
        found = preview(connection, uplink, utc_now(), limit=arguments.limit)
    for one in found.told:
        print(json.dumps(one, ensure_ascii=False, default=str, indent=None if arguments.json else 2))
    for number, why in found.withheld:
        line = {"item": number.item, "start": number.start, "withheld": why}
        if arguments.json:
            print(json.dumps(line, ensure_ascii=False, default=str))
        else:
            print(f"withheld: {number.item} of {number.start.isoformat()}: {why}")
    if not arguments.json and not found.told:
        print("There is nothing to tell just now.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from datetime import timedelta

    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.uplinks import uplink_coverage, uplink_overviews, withheld_periods

    from smartpark_ingest.uplinks.planning import expected_periods

    name: str | None = arguments.name
    now = utc_now()
    with closing(connect(dsn_from_environment(), application="smartpark uplink status")) as connection:
        found = uplink_overviews(connection, name)
        covered = uplink_coverage(connection, name, now - timedelta(days=31), now) if name else []
        withheld = withheld_periods(connection, name) if name else []
    for one in found:
        told = asdict(one)
        if arguments.json:
            shares = [asdict(c) | {"expected": expected_periods(c, now)} for c in covered]
            more = {"last_31_days": shares, "withheld_periods": [asdict(w) for w in withheld]}
            print(json.dumps(told | (more if name else {}), ensure_ascii=False, default=str))
        else:
            print(", ".join(f"{key} {value}" for key, value in told.items() if value not in (None, "", {})))
    if not arguments.json:
        for share in covered:
            expected = expected_periods(share, now)
            print(
                f"  {share.grain}: {share.acknowledged} of {expected} periods of the last 31 days acknowledged"
                + (f" ({share.acknowledged / expected:.1%})" if expected else "")
            )
        for held in withheld:
            print(
                f"  withheld: {held.item}, {held.periods} periods of {held.oldest.isoformat()} to "
                f"{held.newest.isoformat()}: {held.withheld}"
            )
        if not found:
            print("There is no uplink." if name is None else f"There is no uplink {name}.")
    return 0 if found or name is None else 1

"""Commands of this room: `smartpark ingest run` and `smartpark dead replay`."""

import argparse
import json
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.metrics_options import add_metrics_options, metrics_address
from smartpark_storage.dead_reasons import DeadReason

from smartpark_ingest.alerting.commands import register_alerts
from smartpark_ingest.derive_commands import register_derive
from smartpark_ingest.notices.commands import register_notices
from smartpark_ingest.outlook.commands import register_outlook
from smartpark_ingest.province.commands import register_province
from smartpark_ingest.uplinks.commands import register_uplink

if TYPE_CHECKING:
    from smartpark_ingest.admission import Limits
    from smartpark_ingest.replay import ReplayReport

_MICROSECOND = timedelta(microseconds=1)


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    _register_run(command_group(subparsers, "ingest", "the way of readings from the broker into the database"))
    register_alerts(subparsers)
    register_derive(subparsers)
    register_notices(subparsers)
    register_outlook(subparsers)
    register_province(subparsers)
    register_uplink(subparsers)
    _register_replay(command_group(subparsers, "dead", "dead letters: list, show, replay"))


def _register_run(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    run = verbs.add_parser(
        "run",
        help="take batches from the broker, store them exactly once, acknowledge",
        description=(
            "Takes batches from the broker, judges every reading, stores each batch exactly once and tells its edge "
            "when the database has it. The addresses come from SMARTPARK_DSN and SMARTPARK_BROKER_URL (_USERNAME, "
            "_PASSWORD_FILE, _CA_FILE). Ends on SIGTERM or SIGINT with the batch in hand finished; may be killed at "
            "any time without losing or doubling a reading."
        ),
    )
    how_many = run.add_mutually_exclusive_group()
    how_many.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="start and supervise N worker processes (default 1)"
    )
    how_many.add_argument(
        "--shard",
        metavar="k/N",
        help="be worker k of N (k from 0), in this process; for one container per worker. All N must run.",
    )
    run.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="exists while every worker listens and can write"
    )
    _add_limits(run)
    add_metrics_options(run)
    run.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    run.set_defaults(run=_run)


def _register_replay(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    again = verbs.add_parser(
        "replay",
        help="let dead letters in again after the catalogue was mended",
        description=(
            "Judges dead letters anew with the present catalogue, by the time at which they arrived then, and stores "
            "the readings that are let in: each exactly once, however often this is run or interrupted. Letters that "
            "hold a whole message instead of a reading stay; their senders have to be mended. The database is the "
            "one of SMARTPARK_DSN."
        ),
    )
    again.add_argument("--id", type=_positive, nargs="+", metavar="ID", help="only these letters")
    again.add_argument("--reason", type=DeadReason, choices=list(DeadReason), help="only letters of this reason")
    again.add_argument(
        "--limit", type=_positive, default=100_000, metavar="N", help="at most the newest N (default 100000)"
    )
    again.add_argument("--dry-run", action="store_true", help="only say what would be let in")
    again.add_argument("--json", action="store_true", help="one JSON object: accepted, refused, reasons, dry_run")
    _add_limits(again)
    again.set_defaults(run=_replay)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-future-seconds",
        type=_positive,
        default=300,
        metavar="S",
        help="how far ahead of its arrival a reading may be (default 300); others become dead letters",
    )
    parser.add_argument(
        "--max-age-days",
        type=_positive,
        default=400,
        metavar="D",
        help="how old a reading may be (default 400); others become dead letters",
    )


def _limits_of(arguments: argparse.Namespace) -> "Limits":
    from smartpark_ingest.admission import Limits

    return Limits(
        max_future_us=timedelta(seconds=arguments.max_future_seconds) // _MICROSECOND,
        max_age_us=timedelta(days=arguments.max_age_days) // _MICROSECOND,
    )


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.broker import BrokerAddress
    from smartpark.vitals import vitals_port
    from smartpark_storage import dsn_from_environment

    from smartpark_ingest.shards import Shard
    from smartpark_ingest.supervisor import Supervisor
    from smartpark_ingest.worker import Worker, WorkerSettings

    dsn, broker = dsn_from_environment(), BrokerAddress.from_environment()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    if arguments.until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    ready_file: Path | None = arguments.ready_file
    if arguments.shard is None and arguments.workers > 1:
        passed_on = (
            *("--log-level", arguments.log_level, "ingest", "run"),
            *("--max-future-seconds", str(arguments.max_future_seconds)),
            *("--max-age-days", str(arguments.max_age_days)),
        )
        supervisor = Supervisor(
            arguments.workers, passed_on, ready_file=ready_file, stop=stop, metrics=metrics_address(arguments)
        )
        with vitals_port(supervisor.vitals, metrics_address(arguments)):
            supervisor.run()
    else:
        shard = Shard(0, 1) if arguments.shard is None else Shard.parse(arguments.shard)
        worker = Worker(WorkerSettings(dsn, broker, shard, _limits_of(arguments), ready_file), stop)
        with vitals_port(worker.vitals, metrics_address(arguments)):
            worker.run()
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dead_letters_by_id, dsn_from_environment, list_dead_letters, load_registry

    from smartpark_ingest.replay import replay

    reason: DeadReason | None = arguments.reason
    with connect(dsn_from_environment(), application="smartpark dead replay") as connection:
        if arguments.id:
            found = dead_letters_by_id(connection, arguments.id)
            records = [one for one in found if reason in {None, one.reason}]
        else:
            records = list_dead_letters(connection, limit=arguments.limit, reason=reason, pending_only=True)
        registry = load_registry(connection)
        report = replay(connection, records, registry, _limits_of(arguments), dry_run=arguments.dry_run)
    if arguments.json:
        print(json.dumps(_as_json(report, dry_run=arguments.dry_run), ensure_ascii=False))
    else:
        _tell(report, dry_run=arguments.dry_run)
    return 0


def _as_json(report: "ReplayReport", *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "accepted": len(report.accepted),
        "refused": len(report.refused),
        "reasons": [{"reason": reason, "letters": letters} for reason, letters in report.reasons()],
    }


def _tell(report: "ReplayReport", *, dry_run: bool) -> None:
    print(f"{len(report.accepted)} letters {'would be' if dry_run else 'were'} let in, {len(report.refused)} stay")
    for reason, letters in report.reasons()[:20]:
        print(f"{letters:8d}  {reason}")
    if len(report.reasons()) > 20:
        print(f"          and {len(report.reasons()) - 20} more reasons; `smartpark dead list` shows the letters")


def _stop_at_end_of_input(stop: threading.Event) -> None:
    # Read past Python's buffer: its lock, held here while the interpreter shuts down, would abort the process.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number

"""Commands of this room: `smartpark ingest run` and `smartpark dead replay`."""

import argparse
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from smartpark.broker import BrokerAddress
from smartpark.cli import Subparsers, command_group
from smartpark_storage import dsn_from_environment

from smartpark_ingest.admission import Limits
from smartpark_ingest.shards import Shard
from smartpark_ingest.supervisor import Supervisor
from smartpark_ingest.worker import Worker, WorkerSettings

_MICROSECOND = timedelta(microseconds=1)


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    _register_run(command_group(subparsers, "ingest", "the way of readings from the broker into the database"))


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
    add_limits(run)
    run.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    run.set_defaults(run=_run)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add what a reading's clock may say."""
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


def limits_of(arguments: argparse.Namespace) -> Limits:
    """Limits that the arguments ask for."""
    return Limits(
        max_future_us=timedelta(seconds=arguments.max_future_seconds) // _MICROSECOND,
        max_age_us=timedelta(days=arguments.max_age_days) // _MICROSECOND,
    )


def _run(arguments: argparse.Namespace) -> int:
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
        Supervisor(arguments.workers, passed_on, ready_file=ready_file, stop=stop).run()
    else:
        shard = Shard(0, 1) if arguments.shard is None else Shard.parse(arguments.shard)
        Worker(WorkerSettings(dsn, broker, shard, limits_of(arguments), ready_file), stop).run()
    return 0


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number

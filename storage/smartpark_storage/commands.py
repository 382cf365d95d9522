"""Commands of this room: embedded database, migrations, catalogues, dead letters, comparison with the truth."""

import argparse
import getpass
import json
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.clock import parse_instant, utc_now
from smartpark.errors import SmartparkError

from smartpark_storage.backup_commands import register_backups
from smartpark_storage.console_commands import register_console
from smartpark_storage.dead_reasons import DeadReason
from smartpark_storage.factor_commands import register_factors
from smartpark_storage.reader_commands import register_logins

if TYPE_CHECKING:
    from smartpark_storage.catalogues import LoadReport
    from smartpark_storage.connections import Connection
    from smartpark_storage.dead_letters import DeadLetterRecord
    from smartpark_storage.embedded import EmbeddedServer
    from smartpark_storage.verification import Verdict

_WHERE = "The database is the one SMARTPARK_DSN names, with SMARTPARK_DSN_PASSWORD_FILE for its password."


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    _register_database(subparsers)
    _register_migrate(subparsers)
    _register_catalog(subparsers)
    register_factors(subparsers)
    _register_dead(subparsers)
    _register_verify(subparsers)


def _register_database(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    verbs = command_group(subparsers, "database", "the embedded PostgreSQL of the demo; who logs in to a database")
    told = {
        "start": ("start it and print its address", "It goes on running when this command ends."),
        "stop": ("stop it", "Connections are ended, committed data is safe."),
        "status": ("say whether it runs", "Exit code 3 when it does not."),
    }
    for verb, (summary, detail) in told.items():
        parser = verbs.add_parser(verb, help=summary, description=f"Embedded PostgreSQL: {summary}. {detail}")
        parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the database")
        parser.add_argument("--json", action="store_true", help="one JSON object: running, dsn, database")
        parser.set_defaults(run={"start": _start, "stop": _stop, "status": _status}[verb])
    watching = verbs.add_parser(
        "watch",
        help="start it, and start it again whenever it dies",
        description="Embedded PostgreSQL: looks after the server of a folder until SIGTERM or SIGINT. The server "
        "goes on running then; `smartpark database stop` stops it.",
    )
    watching.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the database")
    watching.set_defaults(run=_watch)
    disconnecting = verbs.add_parser(
        "disconnect",
        help="end all other sessions",
        description="Ends every other session on the database, as its restart would; clients connect again. It wants "
        f"the rights of a superuser, or of the sessions' own role. {_WHERE}",
    )
    disconnecting.set_defaults(run=_disconnect)
    register_logins(verbs)
    register_console(verbs)
    register_backups(verbs)


def _register_migrate(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "migrate",
        help="bring the database's schema up to date",
        description=f"Applies the migrations that are missing; without any it does nothing. {_WHERE}",
    )
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="then bring TimescaleDB's aggregates up to date, as after a large backfill (policies do it in minutes)",
    )
    parser.set_defaults(run=_migrate)


def _register_catalog(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    verbs = command_group(subparsers, "catalog", "park catalogues: check, load, show")
    load = verbs.add_parser(
        "load",
        help="make the database say what catalogues say",
        description="Loads park catalogues (TOML). Loading the same file again changes nothing; what a file no "
        f"longer mentions is retired, never deleted. {_WHERE}",
    )
    load.add_argument("file", type=Path, nargs="+", metavar="FILE")
    load.add_argument(
        "--valid-from",
        type=_instant,
        metavar="INSTANT",
        help="since when changed multipliers and register sizes hold (ISO 8601; default: now)",
    )
    load.add_argument("--json", action="store_true", help="one JSON object per file")
    load.set_defaults(run=_load)
    show = verbs.add_parser(
        "show",
        help="what is loaded, and the history of an entry",
        description="Parks and their last loads; with KEY (park, park/device, park/device/point) its changes. "
        f"{_WHERE}",
    )
    show.add_argument("key", nargs="?", metavar="KEY")
    show.add_argument("--json", action="store_true", help="one JSON object")
    show.set_defaults(run=_show)


def _register_dead(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    verbs = command_group(subparsers, "dead", "dead letters: list, show, replay")
    listing = verbs.add_parser("list", help="newest dead letters", description=f"Newest dead letters first. {_WHERE}")
    listing.add_argument("--reason", choices=[reason.value for reason in DeadReason], help="only these")
    listing.add_argument("--limit", type=_count, default=50, help="at most so many (default 50)")
    listing.add_argument("--pending", action="store_true", help="only those not yet replayed")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")
    listing.set_defaults(run=_dead_list)
    show = verbs.add_parser(
        "show", help="one dead letter with its bytes", description=f"Shows dead letters. {_WHERE}"
    )
    show.add_argument("id", type=int, nargs="+", metavar="ID")
    show.add_argument("--raw", action="store_true", help="write only the bytes, as they came")
    show.set_defaults(run=_dead_show)


def _register_verify(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "verify",
        help="compare the database with the truth ledger of a simulated park",
        description="Compares every reading that the simulators handed over with what is stored, and energy and "
        f"carbon with what really flowed. Exit code 1 when readings are lost, duplicated or altered. {_WHERE}",
    )
    parser.add_argument("truth", type=Path, metavar="TRUTH.sqlite")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="write every lost, duplicated or altered reading to FILE: what, point, time in us, count; by tabs",
    )
    parser.set_defaults(run=_verify)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run us under a number that has no name
        return f"uid {os.getuid()}"


def _connect() -> "Connection":
    from smartpark_storage.connections import connect, dsn_from_environment

    return connect(dsn_from_environment(), application="smartpark")


def _disconnect(_arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import end_other_sessions

    with _connect() as connection:
        print(f"{end_other_sessions(connection)} sessions ended")
    return 0


def _start(arguments: argparse.Namespace) -> int:
    from smartpark_storage import embedded

    server = embedded.start(arguments.data)
    return _report(server, as_json=arguments.json, running=True)


def _status(arguments: argparse.Namespace) -> int:
    from smartpark_storage import embedded

    server = embedded.server_at(arguments.data)
    return _report(server, as_json=arguments.json, running=embedded.is_running(server))


def _report(server: "EmbeddedServer", *, as_json: bool, running: bool) -> int:
    from smartpark_storage.connections import connect, describe_database

    label = None
    if running:
        with connect(server.dsn(), application="smartpark") as connection:
            label = describe_database(connection).label
    if as_json:
        print(json.dumps({"running": running, "dsn": server.dsn(), "database": label}))
    elif running:
        print(f"{label}, in {server.data}\nexport SMARTPARK_DSN='{server.dsn()}'")
    else:
        print(f"no database runs in {server.data}")
    return 0 if running else 3


def _stop(arguments: argparse.Namespace) -> int:
    from smartpark_storage import embedded

    stopped = embedded.stop(arguments.data)
    if arguments.json:
        print(json.dumps({"running": False, "dsn": None, "database": None}))
    else:
        print("stopped" if stopped else f"no database runs in {arguments.data}")
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    from smartpark_storage.watching import watch

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    watch(arguments.data, stopping)
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import describe_database
    from smartpark_storage.migrations import migrate, refresh_aggregates

    with _connect() as connection:
        done = migrate(connection)
        print(describe_database(connection).label)
        print("\n".join(f"applied {name}" for name in done) or "the schema is up to date")
        if arguments.refresh:
            window = refresh_aggregates(connection)
            print(f"aggregates computed from {window[0]} to {window[1]}" if window else "no aggregates to compute")
    return 0


def _load(arguments: argparse.Namespace) -> int:
    from smartpark.catalogue import load_catalogue as read_catalogue

    from smartpark_storage.catalogues import load_catalogue

    files: list[Path] = arguments.file
    catalogues = [(file, read_catalogue(file)) for file in files]
    at: datetime = arguments.valid_from or utc_now()
    with _connect() as connection:
        for file, catalogue in catalogues:
            report = load_catalogue(connection, catalogue, source=file.name, loaded_by=_user(), at=at)
            print(_load_json(report) if arguments.json else f"{file}: {_load_text(report)}")
    return 0


def _load_counts(report: "LoadReport") -> dict[str, int]:
    return {change: report.count(change) for change in ("add", "change", "retire", "revive")}


def _load_json(report: "LoadReport") -> str:
    return json.dumps(
        {
            "park": report.park,
            "version": report.version_id,
            "registry_version": report.registry_version,
            "points": report.points,
            **_load_counts(report),
        }
    )


def _load_text(report: "LoadReport") -> str:
    if report.version_id is None:
        return f"{report.park}: {report.points} points, nothing changed"
    counts = ", ".join(f"{count} {change}" for change, count in _load_counts(report).items() if count)
    # Order, and names of profiles, are in the file and not in the tables.
    return f"{report.park}: {report.points} points, version {report.version_id} ({counts or 'only the file differs'})"


def _show(arguments: argparse.Namespace) -> int:
    from smartpark_storage.history import catalogue_summaries, catalogue_versions, entity_history

    with _connect() as connection:
        if arguments.key:
            entries = entity_history(connection, arguments.key)
        else:
            entries = [*catalogue_summaries(connection), *catalogue_versions(connection, limit=20)]
    if arguments.json:
        print(json.dumps(entries, ensure_ascii=False, default=str))
    else:
        for entry in entries:
            print("  ".join(f"{name}={value}" for name, value in entry.items() if value is not None))
    return 0


def _dead_list(arguments: argparse.Namespace) -> int:
    from smartpark_storage.dead_letters import list_dead_letters

    reason = DeadReason(arguments.reason) if arguments.reason else None
    with _connect() as connection:
        letters = list_dead_letters(connection, limit=arguments.limit, reason=reason, pending_only=arguments.pending)
    for letter in letters:
        print(json.dumps(_letter_facts(letter), ensure_ascii=False) if arguments.json else _letter_line(letter))
    return 0


def _letter_facts(letter: "DeadLetterRecord") -> dict[str, object]:
    return {
        "id": letter.dead_letter_id,
        "received_at": letter.received_at.isoformat(),
        "edge": letter.edge,
        "topic": letter.topic,
        "reason": letter.reason.value,
        "detail": letter.detail,
        "point": letter.point_key,
        "reading_time": letter.reading_time.isoformat() if letter.reading_time else None,
        "replayed_at": letter.replayed_at.isoformat() if letter.replayed_at else None,
        "bytes": len(letter.payload),
    }


def _letter_line(letter: "DeadLetterRecord") -> str:
    received = letter.received_at.isoformat(timespec="seconds")
    replayed = "  (replayed)" if letter.replayed_at else ""
    return f"{letter.dead_letter_id:>8}  {received}  {letter.reason:<18}  {letter.topic}  {letter.detail}{replayed}"


def _dead_show(arguments: argparse.Namespace) -> int:
    from smartpark_storage.dead_letters import dead_letters_by_id

    with _connect() as connection:
        letters = dead_letters_by_id(connection, arguments.id)
    missing = set(arguments.id) - {letter.dead_letter_id for letter in letters}
    if missing:
        raise SmartparkError(f"no dead letter has the number {', '.join(map(str, sorted(missing)))}")
    for letter in letters:
        if arguments.raw:
            sys.stdout.buffer.write(letter.payload)
        else:
            print("\n".join(f"{name:>13}: {value}" for name, value in _letter_facts(letter).items()))
            print(f"{'payload':>13}: {letter.payload.decode('utf-8', 'backslashreplace')}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from smartpark_storage.verification import Difference, verify

    differences: list[Difference] = []
    with _connect() as connection:
        verdict = verify(connection, arguments.truth, differences=differences)
    if arguments.list is not None:
        lines = (f"{one.what}\t{one.point}\t{one.time_us}\t{one.count}\n" for one in differences)
        arguments.list.write_text("".join(lines), encoding="utf-8")
    print(json.dumps(verdict.as_json()) if arguments.json else _verdict_text(verdict))
    return 0 if verdict.readings_intact else 1


def _verdict_text(verdict: "Verdict") -> str:
    return "\n".join(f"{name:>22}: {value}" for name, value in verdict.as_json().items())

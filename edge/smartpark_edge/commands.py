"""`smartpark edge`: run agents, check their settings, look at a spool, and propose settings from what devices say."""

import argparse
import json
from pathlib import Path

from smartpark.catalogue import load_catalogue
from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError, Problem

from smartpark_edge.agent import hours_left
from smartpark_edge.check import catalogue_problems, check_files
from smartpark_edge.settings import load_settings
from smartpark_edge.spool import SpoolReader
from smartpark_edge.supervisor import Supervisor


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs of `edge`."""
    verbs = command_group(subparsers, "edge", "agents beside the meters: run, check, listen, browse, spool")
    _add_run(verbs)
    _add_check(verbs)
    _add_spool(verbs)


def _add_run(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    run = verbs.add_parser(
        "run",
        help="run one or several agents until stopped",
        description="Runs the agents of the given files. A changed file is applied without a restart (SIGHUP forces "
        "a look); a wrong one is refused and named in the log. SIGTERM stops cleanly: nothing accepted is lost.",
    )
    run.add_argument("config", type=Path, nargs="+", metavar="CONFIG")
    run.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="written when every source and the platform broker are connected",
    )
    run.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    Supervisor(arguments.config, arguments.ready_file).run()
    return 0


def _add_check(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    check = verbs.add_parser(
        "check",
        help="report every problem of settings files, with file and key",
        description="Checks settings files, alone and against each other, without opening a connection. With "
        "--catalog, also that each point exists there and means the same. Exit code 2 when there are problems.",
    )
    check.add_argument("config", type=Path, nargs="+", metavar="CONFIG")
    check.add_argument("--catalog", type=Path, action="append", default=[], metavar="FILE", help="a park catalogue")
    check.add_argument("--json", action="store_true", help="one JSON object: files, problems")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    files: list[Path] = arguments.config
    problems: list[Problem] = []
    summaries: list[str] = []
    try:
        settings = check_files(files)
        catalogues = [load_catalogue(path) for path in arguments.catalog]
        for path, one in zip(files, settings, strict=True):
            if catalogues:
                problems += catalogue_problems(path, one, catalogues)
            devices = sum(len(source.device) for source in one.mqtt)
            nodes = sum(len(source.point) for source in one.opcua)
            summaries.append(f"{path}: agent {one.edge.code}: {devices} MQTT devices, {nodes} OPC UA points")
    except InvalidFileError as error:
        problems += error.problems
    if arguments.json:
        found = [{"file": p.file, "key": p.key, "message": p.message} for p in problems]
        print(json.dumps({"files": len(files), "problems": found}, ensure_ascii=False))
    else:
        print("\n".join([*map(str, problems)] if problems else summaries))
    return 2 if problems else 0


def _add_spool(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    spool = verbs.add_parser(
        "spool",
        help="show what an agent's spool holds and how long it lasts",
        description="Shows the backlog of an agent's spool, also while the agent runs: readings and bytes not yet "
        "acknowledged, hours until it is full at the present rate, and what was ever lost.",
    )
    spool.add_argument("config", type=Path, metavar="CONFIG")
    spool.add_argument("--json", action="store_true", help="one JSON object")
    spool.set_defaults(run=_spool)


def _spool(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    path, limit = settings.edge.spool, settings.edge.spool_limit_bytes
    if not path.exists():
        raise InvalidFileError([Problem(str(path), "", "no spool yet: the agent has not run")])
    reader = SpoolReader(path)
    try:
        counters, oldest = reader.counters(), reader.oldest_pending()
    finally:
        reader.close()
    found = {
        "edge": settings.edge.code,
        "spool": str(path),
        "pending_readings": counters.pending_readings,
        "pending_batches": counters.pending_batches,
        "bytes": counters.bytes,
        "limit_bytes": limit,
        "oldest_pending_us": oldest,
        "hours_left": hours_left(limit, counters.pending_bytes, counters.bytes_per_second),
        "accepted": counters.accepted,
        "duplicates": counters.duplicates,
        "dead_letters": counters.dead_letters,
        "dropped": counters.dropped,
        "dropped_from_us": counters.dropped_from,
        "dropped_to_us": counters.dropped_to,
    }
    print(json.dumps(found) if arguments.json else "\n".join(f"{key:18} {value}" for key, value in found.items()))
    return 0

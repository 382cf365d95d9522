"""`smartpark edge`: run agents, check their settings, look at a spool, and propose settings from what devices say."""

import argparse
import json
import sys
from pathlib import Path

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError, Problem
from smartpark.metrics_options import add_metrics_options, metrics_address

from smartpark_edge.choices import OpcUaSecurity, Protocol


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs of `edge`."""
    verbs = command_group(subparsers, "edge", "agents beside the meters: run, check, listen, browse, spool")
    _add_run(verbs)
    _add_check(verbs)
    _add_spool(verbs)
    _add_listen(verbs)
    _add_browse(verbs)


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
    add_metrics_options(run)
    run.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port

    from smartpark_edge.supervisor import Supervisor

    supervisor = Supervisor(arguments.config, arguments.ready_file)
    with vitals_port(supervisor.vitals, metrics_address(arguments)):
        supervisor.run()
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
    from smartpark.catalogue import load_catalogue

    from smartpark_edge.check import catalogue_problems, check_files

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
    from smartpark_edge.agent import hours_left
    from smartpark_edge.settings import load_settings
    from smartpark_edge.spool_reader import SpoolReader

    settings = load_settings(arguments.config)
    path, limit = settings.edge.spool, settings.edge.spool_limit_bytes
    if not path.exists():
        raise InvalidFileError([Problem(str(path), "", "no spool yet: the agent has not run")])
    reader = SpoolReader(path)
    try:
        counters, oldest = reader.counters(), reader.oldest_pending()
        letters, span = reader.pending_letters(), reader.span_pending() or (None, None)
    finally:
        reader.close()
    found = {
        "edge": settings.edge.code,
        "spool": str(path),
        "pending_readings": counters.pending_readings,
        "pending_batches": counters.pending_batches,
        "pending_letters": letters,
        "pending_from_us": span[0],
        "pending_to_us": span[1],
        "bytes": counters.bytes,
        "limit_bytes": limit,
        "oldest_pending_us": oldest,
        "hours_left": hours_left(limit, counters.pending_bytes, counters.bytes_per_second),
        "accepted": counters.accepted,
        "duplicates": counters.duplicates,
        "dead_letters": counters.dead_letters,
        "dropped": counters.dropped,
        "dropped_letters": counters.dropped_letters,
        "dropped_from_us": counters.dropped_from,
        "dropped_to_us": counters.dropped_to,
        "damaged": counters.damaged,
        "damaged_letters": counters.damaged_letters,
        "damaged_from_us": counters.damaged_from,
        "damaged_to_us": counters.damaged_to,
    }
    print(json.dumps(found) if arguments.json else "\n".join(f"{key:18} {value}" for key, value in found.items()))
    return 0


def _add_listen(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    listen = verbs.add_parser(
        "listen",
        help="hear a broker for a while and propose settings and catalogue entries",
        description="Subscribes to a broker, recognises the makes of devices that it knows, and writes TOML for "
        "review to standard output: agent settings and catalogue entries. Nothing is changed anywhere.",
    )
    listen.add_argument("url", metavar="mqtt://HOST[:PORT]")
    listen.add_argument("--seconds", type=float, default=20.0, help="how long to listen (default 20)")
    listen.add_argument("--topic", action="append", metavar="FILTER", help="default: # and everything below")
    listen.add_argument(
        "--protocol",
        choices=[p.value for p in Protocol],
        default=Protocol.V311.value,
        help="version of MQTT (default 3.1.1)",
    )
    listen.add_argument("--username", help="who to be at the broker")
    listen.add_argument("--password-file", type=Path, metavar="FILE", help="file that holds the user's password")
    listen.add_argument("--ca-file", type=Path, metavar="FILE", help="who signs the broker's certificate (mqtts)")
    listen.set_defaults(run=_listen)


def _listen(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError
    from smartpark.broker import BrokerAddress
    from smartpark.tomlfile import problems_of

    from smartpark_edge.listen import hear_broker
    from smartpark_edge.proposals import mqtt_proposal, recognise

    given = {
        "url": arguments.url,
        "username": arguments.username,
        "password_file": arguments.password_file,
        "ca_file": arguments.ca_file,
    }
    try:
        address = BrokerAddress.model_validate(given)
    except ValidationError as error:
        raise InvalidFileError(problems_of(error, given, file="command line")) from None
    heard = hear_broker(
        address,
        arguments.topic or ["#"],
        arguments.seconds,
        Protocol(arguments.protocol),
        lambda topics: _progress(f"{topics} topics heard"),
    )
    found = recognise(heard)
    own = f", {len(found.agents)} of the platform's own agents left out" if found.agents else ""
    _progress(f"{len(found.devices)} devices recognised, {len(found.unknown)} topics not understood{own}\n")
    print(mqtt_proposal(found, arguments.url), end="")
    return 0


def _add_browse(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    browse = verbs.add_parser(
        "browse",
        help="browse an OPC UA server and propose settings",
        description="Walks through an OPC UA server and writes TOML for review to standard output: one entry for "
        "each variable that holds a number. What it measures is guessed from its name. Nothing is changed anywhere.",
    )
    browse.add_argument("url", metavar="opc.tcp://HOST:PORT/PATH")
    browse.add_argument(
        "--security",
        choices=[s.value for s in OpcUaSecurity],
        default=OpcUaSecurity.NONE.value,
        help="security policy and mode (default none: in clear)",
    )
    files = {
        "--certificate": "certificate of this client, with its application URI",
        "--private-key": "key of that certificate",
        "--trust-store": "folder with the certificates of trusted servers",
        "--password-file": "file that holds the user's password",
    }
    for option, meaning in files.items():
        browse.add_argument(option, type=Path, metavar="PATH", help=meaning)
    browse.add_argument("--username", help="who to be at the server; needs a security policy")
    browse.set_defaults(run=_browse)


def _browse(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError
    from smartpark.tomlfile import problems_of

    from smartpark_edge.listen import browse_server
    from smartpark_edge.proposals import opcua_proposal
    from smartpark_edge.settings import OpcUaSource

    keys = ("url", "security", "certificate", "private_key", "trust_store", "username", "password_file")
    given = {key: getattr(arguments, key) for key in keys if getattr(arguments, key) is not None}
    # A source has points; while browsing it is the server's own clock.
    given |= {"name": "browse", "point": [{"node": "i=2258", "point": "park/device/voltage"}]}
    try:
        settings = OpcUaSource.model_validate(given)
    except ValidationError as error:
        raise InvalidFileError(problems_of(error, given, file="command line")) from None
    nodes = browse_server(settings, lambda seen: _progress(f"{seen} nodes seen"))
    _progress(f"{len(nodes)} variables hold a number\n")
    print(opcua_proposal(nodes, arguments.url), end="")
    return 0


def _progress(text: str) -> None:
    """One line on stderr, rewritten on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}   ", end="", file=sys.stderr, flush=True)
    elif text.endswith("\n"):
        print(text, end="", file=sys.stderr, flush=True)

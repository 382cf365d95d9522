"""Commands of this room, below `smartpark`: `simulate broker`, `simulate park`, `demo`.

What a command needs is imported when it runs: every `smartpark` command passes through here, and numpy and an OPC UA
stack would cost each of them most of a second.
"""

import argparse
from pathlib import Path

from smartpark.cli import Subparsers, command_group

from smartpark_simulators.parks import DEMO_PARK
from smartpark_simulators.uplinks.commands import register_uplinks

FAULTS = (
    *("dropout", "stuck", "duplicates", "garbage"),
    *("clock_skew", "sensor_failure", "rollover", "reset"),
)
"""Names of `faults.FaultKind`, which a test compares with these."""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    verbs = command_group(subparsers, "simulate", "a park that does not exist: devices, faults, a truth ledger")
    _register_broker(verbs)
    _register_park(verbs)
    _register_desk(verbs)
    _register_province(verbs)
    register_uplinks(verbs)
    _register_demo(subparsers)


def _register_broker(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    broker = verbs.add_parser(
        "broker",
        help="run an MQTT broker on the loopback interface",
        description="Runs mosquitto where it is installed, else the broker of the iotcore wheel, until stopped.",
    )
    broker.add_argument("--port", type=int, default=1883, help="port on 127.0.0.1 (default 1883)")
    broker.add_argument("--data", type=Path, default=Path("var/broker"), help="folder for its files")
    broker.add_argument(
        "--users",
        type=Path,
        help="JSON list of users: name, password, rights; without it everybody may do everything",
    )
    _add_kind(broker, "--kind")
    broker.set_defaults(run=_run_broker)


def _register_desk(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    desk = verbs.add_parser(
        "desk",
        help="make up load requests with their histories, for `smartpark requests import`",
        description=(
            "Writes made-up load requests of one park as JSON lines: applications and leads of the last months, with "
            "delays, reworks and suspensions, told up to now. The same seed and moment give the same file."
        ),
    )
    desk.add_argument("file", type=Path, help="file to write")
    desk.add_argument("--park", required=True, metavar="CODE", help="code of the park")
    desk.add_argument("--manager", required=True, metavar="PERSON", help="code of its project manager")
    desk.add_argument(
        "--node", nargs="*", default=[], metavar="NODE", help="where they could connect: transformer/TR1"
    )
    desk.add_argument("--count", type=int, default=60, metavar="N", help="how many requests (default 60)")
    desk.add_argument("--days", type=float, default=120.0, help="days back to the oldest (default 120)")
    desk.add_argument(
        "--largest", type=float, default=20_000, metavar="KVA", help="nobody asks for more (default 20000)"
    )
    desk.add_argument("--seed", type=int, default=1, help="which of the possible desks (default 1)")
    desk.set_defaults(run=_run_desk)


def _register_province(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    province = verbs.add_parser(
        "province",
        help="pull an instance over a bad link, kill the puller again and again, compare digests",
        description=(
            "Runs the real `smartpark province pull` over a relay that refuses, cuts, garbles and stalls, kills it "
            "at random moments, lets it finish over a good link, and compares both sides' digests. Exit code 1: "
            "they differ."
        ),
    )
    province.add_argument("url", help="the instance: http://127.0.0.1:8000 (the relay speaks no TLS)")
    province.add_argument("--into", required=True, metavar="DSN", help="the province's database")
    province.add_argument("--source", default="park", metavar="NAME", help="its name there (default park)")
    province.add_argument("--key-file", type=Path, metavar="FILE", help="API key of the instance")
    province.add_argument("--seconds", type=float, default=30.0, help="how long faults go on (default 30)")
    province.add_argument(
        "--share", type=float, default=0.3, help="share of moments at which a fault may happen and does (default 0.3)"
    )
    province.add_argument("--page-rows", type=int, default=2000, metavar="N", help="rows of an answer (default 2000)")
    province.add_argument("--seed", type=int, default=1, help="which of the possible runs (default 1)")
    province.set_defaults(run=_run_province)


def _run_province(arguments: argparse.Namespace) -> int:
    from smartpark_simulators.province.run import ProvinceStory, as_json, pull_under_faults

    options = ["--page-rows", str(arguments.page_rows)]
    if arguments.key_file is not None:
        options += ["--key-file", str(arguments.key_file)]
    story = ProvinceStory(
        arguments.url,
        arguments.into,
        source=arguments.source,
        options=options,
        seconds=arguments.seconds,
        share=arguments.share,
        seed=arguments.seed,
    )
    report = pull_under_faults(story)
    print(as_json(report))
    return 0 if report.is_same else 1


def _run_desk(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now

    from smartpark_simulators.desk import DeskPark, desk_histories, line_of

    park = DeskPark(arguments.park, arguments.manager, tuple(arguments.node), arguments.largest)
    stories = desk_histories([park], arguments.count, now=utc_now(), seed=arguments.seed, span_days=arguments.days)
    lines = [line_of(f"made-up-{arguments.seed}-{n}", events) for n, events in enumerate(stories, start=1)]
    path: Path = arguments.file
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(lines)} made-up requests")
    return 0


def _register_park(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    park = verbs.add_parser(
        "park",
        help="run the demonstration park: MQTT meters, an OPC UA server, faults",
        description=(
            "Publishes what the devices of a park would say, history first, and writes what really happened to a "
            "truth ledger. The broker and its credentials come from SMARTPARK_BROKER_URL, _USERNAME, _PASSWORD."
        ),
    )
    park.add_argument("--ledger", type=Path, required=True, help="truth ledger (SQLite); continued when it exists")
    park.add_argument("--broker", help="address of the devices' broker, mqtt://host:port")
    park.add_argument("--catalogue", type=Path, default=DEMO_PARK, help="park (TOML); default the demonstration park")
    park.add_argument("--opcua-host", default="127.0.0.1", help="where the PLC listens (default 127.0.0.1)")
    park.add_argument("--opcua-port", type=int, default=4840, help="port of the PLC (default 4840)")
    park.add_argument("--backfill-days", type=float, default=30.0, help="days of history before live (default 30)")
    park.add_argument("--for", dest="run_for", type=float, metavar="S", help="stop after S seconds of live readings")
    park.add_argument("--faults", default="none", help=f"what goes wrong: all, none, or some of {', '.join(FAULTS)}")
    park.add_argument("--seed", type=int, default=1, help="which of the possible parks (default 1)")
    park.add_argument("--ready-file", type=Path, help="written when the history is out and live begins")
    park.add_argument(
        "--start-when",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="publish nothing before these files exist (ready files of agents); the OPC UA server listens at once",
    )
    park.add_argument(
        "--await-agents",
        action="store_true",
        help="the ledger notes what was said; somebody who sees the agents' acknowledgements settles what counts",
    )
    park.set_defaults(run=_run_park)


def _register_demo(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    demo = subparsers.add_parser(
        "demo",
        help="a whole park at work on this machine",
        description=(
            "Starts database, broker, ingest, derive, two edge agents, the pages and a simulated park, each a "
            "process of its own; gives the park a history, then lets it live. Ctrl-C stops everything; the next "
            "start goes on with the same data. SMARTPARK_DSN names another database than the embedded one. With "
            "--for the run ends by itself, and the platform is compared with what really happened: exit code 1 when "
            "they differ."
        ),
    )
    demo.add_argument(
        "--for", dest="run_for", type=float, metavar="S", help="live for S seconds, then compare and end"
    )
    demo.add_argument("--json", action="store_true", help="print one JSON object at the end (with --for)")
    demo.add_argument(
        "--data", type=Path, metavar="DIR", help="its folder (default var/demo; with --for a temporary one)"
    )
    demo.add_argument("--port", type=int, default=8000, help="of the pages (default 8000; another when it is taken)")
    demo.add_argument("--backfill-days", type=float, default=30.0, help="days of history (default 30)")
    demo.add_argument("--faults", default="all", help=f"what goes wrong (default all): none, {', '.join(FAULTS)}")
    demo.add_argument("--seed", type=int, default=1, help="which of the possible parks (default 1)")
    _add_kind(demo, "--broker")
    demo.set_defaults(run=_run_demo)


def _add_kind(parser: argparse.ArgumentParser, option: str) -> None:
    parser.add_argument(
        option,
        dest="broker_kind",
        choices=["auto", "mosquitto", "rumqttd"],
        default="auto",
        help="which broker to run (default: mosquitto where it is installed, else rumqttd)",
    )


def _run_broker(arguments: argparse.Namespace) -> int:
    from smartpark_simulators.broker import exec_broker, load_users

    users = () if arguments.users is None else load_users(arguments.users)
    # Neither broker says a word of its own while all is well.
    print(f"broker: mqtt://127.0.0.1:{arguments.port}, until it is stopped", flush=True)
    exec_broker(arguments.data.absolute(), arguments.port, users, kind=arguments.broker_kind)
    return 0


def _run_park(arguments: argparse.Namespace) -> int:
    from smartpark_simulators.run_park import run_park

    return run_park(arguments)


def _run_demo(arguments: argparse.Namespace) -> int:
    from smartpark_simulators.demo.options import DemoOptions
    from smartpark_simulators.demo.run import run_demo

    return run_demo(
        DemoOptions(
            data=arguments.data,
            run_for_s=arguments.run_for,
            as_json=arguments.json,
            port=arguments.port,
            faults=arguments.faults,
            backfill_days=arguments.backfill_days,
            seed=arguments.seed,
            broker_kind=arguments.broker_kind,
        )
    )

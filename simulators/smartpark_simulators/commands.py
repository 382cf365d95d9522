"""Commands of this room, below `smartpark`: `simulate broker`, `simulate park`, `demo`."""

import argparse
import asyncio
import sys
import time
from importlib.resources import files
from pathlib import Path

from smartpark.broker import BrokerAddress
from smartpark.catalogue import load_catalogue
from smartpark.cli import Subparsers, command_group

from smartpark_simulators.broker import exec_broker, load_users
from smartpark_simulators.faults import FaultKind, parse_faults
from smartpark_simulators.park import Park, ParkOptions

DEMO_PARK = Path(str(files("smartpark_simulators"))) / "parks" / "minhou-demo.toml"


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
    verbs = command_group(subparsers, "simulate", "a park that does not exist: devices, faults, a truth ledger")
    _register_broker(verbs)
    _register_park(verbs)


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
    broker.set_defaults(run=_run_broker)


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
    park.add_argument(
        "--faults", default="none", help=f"what goes wrong: all, none, or some of {','.join(FaultKind)}"
    )
    park.add_argument("--seed", type=int, default=1, help="which of the possible parks (default 1)")
    park.add_argument("--ready-file", type=Path, help="written when the history is out and live begins")
    park.add_argument(
        "--wait-for-subscribers", type=float, default=0.0, metavar="S",
        help="before the history, wait up to S seconds until every OPC UA node is monitored",
    )  # fmt: skip
    park.set_defaults(run=_run_park)


def _run_broker(arguments: argparse.Namespace) -> int:
    users = () if arguments.users is None else load_users(arguments.users)
    exec_broker(arguments.data.absolute(), arguments.port, users)
    return 0


def _run_park(arguments: argparse.Namespace) -> int:
    address = BrokerAddress.from_environment()
    if arguments.broker is not None:
        address = BrokerAddress.model_validate({**address.model_dump(), "url": arguments.broker})
    options = ParkOptions(
        catalogue=load_catalogue(arguments.catalogue),
        ledger=arguments.ledger,
        broker=address,
        opcua_host=arguments.opcua_host,
        opcua_port=arguments.opcua_port,
        backfill_days=arguments.backfill_days,
        run_for_s=arguments.run_for,
        faults=parse_faults(arguments.faults),
        seed=arguments.seed,
        ready_file=arguments.ready_file,
        wait_for_subscribers_s=arguments.wait_for_subscribers,
    )
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"park {time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    asyncio.run(Park(options, tell).run())
    return 0

"""From the arguments of `smartpark simulate park` to a park at work."""

import argparse
import asyncio
import sys
import time

from smartpark.broker import BrokerAddress
from smartpark.catalogue import load_catalogue

from smartpark_simulators.faults import parse_faults
from smartpark_simulators.park import Park, ParkOptions


def run_park(arguments: argparse.Namespace) -> int:
    """Run the park until it is stopped; progress goes to stderr."""
    started = time.monotonic()

    def tell(text: str) -> None:
        sys.stderr.write(f"park {time.monotonic() - started:6.1f} s  {text}\n")
        sys.stderr.flush()

    asyncio.run(Park(options_of(arguments), tell).run())
    return 0


def options_of(arguments: argparse.Namespace) -> ParkOptions:
    """Options that the arguments ask for; the broker's credentials come from the environment."""
    address = BrokerAddress.from_environment()
    if arguments.broker is not None:
        address = BrokerAddress.model_validate({**address.model_dump(), "url": arguments.broker})
    return ParkOptions(
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
        start_when=tuple(arguments.start_when),
        awaits_agents=arguments.await_agents,
    )

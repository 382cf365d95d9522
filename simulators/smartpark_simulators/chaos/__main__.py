"""`scripts/chaos`: does the platform keep its promise while everything around it fails? Exit 0: yes; 1: no."""

import argparse
import asyncio
import json
import os
import random
import shlex
import sys
from pathlib import Path
from typing import Any

from smartpark.errors import SmartparkError

from smartpark_simulators.chaos.database import Blows
from smartpark_simulators.chaos.plan import Kind, Strike, UnknownKindError, draw
from smartpark_simulators.chaos.run import play
from smartpark_simulators.demo.processes import DemoError


def main() -> int:
    """Run what the command line says."""
    arguments = _parser().parse_args()
    seed: int = random.SystemRandom().randrange(10_000) if arguments.seed is None else arguments.seed
    seconds: float = arguments.minutes * 60
    try:
        blows = _blows(arguments)
        plan = draw(seed, seconds, _kinds(arguments.faults))
        if arguments.plan:
            return _show(seed, plan, as_json=arguments.json)
        return _play(seed, plan, seconds, blows, arguments)
    except SmartparkError as error:
        sys.stderr.write(f"chaos: {error}\nreplay with: {_again(seed, arguments)}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chaos",
        description=(
            "Runs the park and, by a seeded plan, kills, cuts, delays, fills, spoils and turns what it stands on; "
            "then compares every reading that an agent accepted with the database, and everything that was derived "
            "with what the stored readings say. SMARTPARK_DSN names another database than the embedded one: an empty "
            "one, of which only sessions are ended unless --database-kill and --database-start say how to do more. "
            "Exit code 1 when a reading is lost without being named, doubled or altered."
        ),
    )
    parser.add_argument("--minutes", type=float, default=2.0, metavar="N", help="how long faults go on (default 2)")
    parser.add_argument("--seed", type=int, help="which plan (default: a random one, which is printed)")
    parser.add_argument("--plan", action="store_true", help="show the plan and run nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument("--faults", help=f"only these kinds, by commas: {', '.join(Kind)}")
    parser.add_argument(
        "--database-kill",
        metavar="COMMAND",
        help="shell command that kills the server SMARTPARK_DSN names, at once and without a goodbye, such as "
        "'kill -9 $(head -1 /srv/pg/postmaster.pid)' or 'docker kill db'",
    )
    parser.add_argument(
        "--database-start",
        metavar="COMMAND",
        help="shell command that starts it again, such as 'pg_ctl -D /srv/pg -l /srv/pg.log -w start' or 'docker "
        "start db'; tried again until the server answers",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="its folder (default: a temporary one)")
    return parser


def _kinds(text: str | None) -> tuple[Kind, ...]:
    names = list(Kind) if text is None else text.split(",")
    unknown = [name for name in names if name not in set(Kind)]
    if unknown:
        raise UnknownKindError(f"no fault is called {', '.join(unknown)}; there are {', '.join(Kind)}")
    return tuple(Kind(name) for name in names)


def _blows(arguments: argparse.Namespace) -> Blows | None:
    kill, start = arguments.database_kill, arguments.database_start
    if kill is None and start is None:
        return None
    if kill is None or start is None:
        raise DemoError("--database-kill and --database-start go together: what is killed must come back")
    if not os.environ.get("SMARTPARK_DSN"):
        raise DemoError("--database-kill is about the server that SMARTPARK_DSN names, and it is not set")
    return Blows(kill, start)


def _show(seed: int, plan: tuple[Strike, ...], *, as_json: bool) -> int:
    if as_json:
        _say(json.dumps({"seed": seed, "plan": [strike.as_json() for strike in plan]}))
        return 0
    _say(f"seed {seed}, {len(plan)} faults")
    for strike in plan:
        _say(
            f"{strike.at_s:8.1f} s  {strike.kind:<16} {strike.target:<16} {strike.length_s:5.1f} s  {strike.amount:g}"
        )
    return 0


def _play(
    seed: int, plan: tuple[Strike, ...], seconds: float, blows: Blows | None, arguments: argparse.Namespace
) -> int:
    try:
        report = play(seed, plan, seconds, arguments.data, blows)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    _say(json.dumps(report, ensure_ascii=False) if arguments.json else _text(report))
    for complaint in report["complaints"]:
        sys.stderr.write(f"WRONG: {complaint}\n")
    if report["complaints"]:
        sys.stderr.write(f"replay with: {_again(seed, arguments)}\n")
    return 1 if report["complaints"] else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _again(seed: int, arguments: argparse.Namespace) -> str:
    names = ("faults", "database_kill", "database_start")
    given = {f"--{name.replace('_', '-')}": getattr(arguments, name) for name in names}
    more = "".join(f" {option} {shlex.quote(value)}" for option, value in given.items() if value)
    return f"scripts/chaos --minutes {arguments.minutes:g} --seed {seed}{more}"


def _text(report: dict[str, Any]) -> str:
    return "\n".join(f"{name:>20}  {value}" for name, value in report.items())


if __name__ == "__main__":
    raise SystemExit(main())

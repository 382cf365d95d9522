"""Mutated payloads through the real program: each is accepted, or in the dead letters, and none goes past an edge.

Four doors: devices' MQTT messages, OPC UA values, the wire towards ingest, acknowledgements towards an edge. Messages
and values go through an agent's source, recorder, spool and session to ingest's desk, in one process; the wire's go
to the desk alone, as from a broken or hostile edge. A sample then goes through a real broker and a real ingest worker
into a real database. The same seed draws the same payloads as long as the program answers them the same way.

When a payload goes wrong it is written to a file (var/fuzz/), and `--replay FILE` sends it again.
"""

import argparse
import json
import logging
import secrets
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from cases import MishapError, read_cases, write_cases
from run import Outcome, fuzz, replay, smallest
from sample import send_sample

_KEPT = Path(__file__).resolve().parents[2] / "var" / "fuzz"


def main() -> int:
    """Run, tell, and end with 1 when something went wrong."""
    arguments = _parser().parse_args()
    # What a source warns of a thousand times is not this program's news.
    logging.basicConfig(level=logging.CRITICAL)
    # Asked to stop, it tells what it has done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if arguments.replay is not None:
        replay(read_cases(arguments.replay))
        print("nothing went wrong")
        return 0
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    _say(f"seed {seed}")
    report, status = _run(arguments, seed)
    print(json.dumps(report, ensure_ascii=False) if arguments.json else _shown(report))
    return status


def _parser() -> argparse.ArgumentParser:
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=summary, epilog=rest)
    parser.add_argument("--payloads", type=int, default=20_000, metavar="N", help="how many (default 20000)")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="what they are drawn from (default: any; it is printed)"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=2000,
        metavar="N",
        help="through broker and database, at most (default 2000; 0: none)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="send the payloads of this file, and nothing else"
    )
    return parser


def _run(arguments: argparse.Namespace, seed: int) -> tuple[dict[str, Any], int]:
    outcome = Outcome(seed)
    try:
        fuzz(arguments.payloads, outcome, _say)
        report = outcome.as_dict()
        if arguments.sample and outcome.sample:
            report["through_the_database"] = send_sample(outcome.sample[: arguments.sample], _say)
    except Exception as error:  # noqa: BLE001  whatever goes past an edge is what is looked for
        return _mishap(error, seed, outcome), 1
    return {**report, "failures": 0}, 0


def _mishap(error: Exception, seed: int, outcome: Outcome) -> dict[str, Any]:
    cases = (error.cases if isinstance(error, MishapError) else []) or outcome.in_hand
    cases = smallest(cases) if len(cases) > 1 else cases
    file = _KEPT / f"seed-{seed}-at-{outcome.tally.payloads}.jsonl"
    write_cases(file, cases)
    traceback.print_exception(error, file=sys.stderr)
    _say(f"seed {seed}: {error}\n{len(cases)} payloads kept in {file}; send them again with --replay")
    return {**outcome.as_dict(), "failures": 1, "kept_in": str(file), "what": str(error)}


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _shown(report: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in report.items())


if __name__ == "__main__":
    raise SystemExit(main())

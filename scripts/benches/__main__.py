"""`scripts/bench NAME`: runs one bench and prints what it measured, for people or as one JSON object.

A bench is a module of this folder with a docstring that says what is measured, and two functions:
``add_arguments(parser)`` and ``measure(arguments, say)``, which returns a dictionary. It is never a test: a number
depends on the machine, so each report says which machine it was.
"""

import argparse
import importlib
import json
import sys
from typing import Any

from machine import describe_machine

BENCHES = {
    "analytics": "bench_analytics",
    "late": "bench_late",
    "ingest": "bench_ingest",
    "backfill": "bench_backfill",
    "edge": "bench_edge",
    "console": "bench_console",
    "aggregates": "bench_aggregates",
    "alerts": "bench_alerts",
}
"""Name to module."""


def main() -> int:
    """Run the bench that was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n\n")[0])
    names = parser.add_subparsers(title="benches", metavar="NAME", required=True)
    for name, module_name in BENCHES.items():
        module = importlib.import_module(module_name)
        summary = (module.__doc__ or "").split("\n")[0]
        bench = names.add_parser(name, help=summary, description=module.__doc__)
        bench.add_argument("--json", action="store_true", help="one JSON object on stdout")
        module.add_arguments(bench)
        bench.set_defaults(measure=module.measure)
    arguments = parser.parse_args()
    report = {**describe_machine(), **arguments.measure(arguments, _say)}
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)
    return 0


def _say(message: str) -> None:
    """Tell how far it is, where it does not mix with the result."""
    print(message, file=sys.stderr, flush=True)


def _show(report: dict[str, Any], indent: str = "") -> None:
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            _show(value, indent + "  ")
        elif isinstance(value, float):
            print(f"{indent}{name}: {value:,.4g}" if abs(value) < 1000 else f"{indent}{name}: {value:,.0f}")
        else:
            print(f"{indent}{name}: {value:,}" if isinstance(value, int) else f"{indent}{name}: {value}")


if __name__ == "__main__":
    raise SystemExit(main())

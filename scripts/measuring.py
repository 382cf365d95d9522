"""What `scripts/bench` and `scripts/score` share: names are modules, a report is for people or for machines.

A measurement is a module with a docstring that says what is measured, and two functions: ``add_arguments(parser)``
and ``measure(arguments, say)``, which returns a dictionary. It judges nothing: a number depends on the machine and on
the data at hand.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any


def run(program: str, description: str, modules: Mapping[str, str], about: Mapping[str, Any]) -> int:
    """Measure what was asked for on the command line, and print it after what is said of the machine."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    names = parser.add_subparsers(title="names", metavar="NAME", required=True)
    for name, module_name in modules.items():
        module = importlib.import_module(module_name)
        summary = (module.__doc__ or "").split("\n")[0]
        one = names.add_parser(name, help=summary, description=module.__doc__)
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
        module.add_arguments(one)
        one.set_defaults(measure=module.measure)
    arguments = parser.parse_args()
    report = {**about, **arguments.measure(arguments, _say)}
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)
    return 0


def _say(message: str) -> None:
    """Tell how far it is, where it does not mix with the result."""
    print(message, file=sys.stderr, flush=True)


def _show(report: Mapping[str, Any], indent: str = "") -> None:
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            _show(value, indent + "  ")
        elif isinstance(value, float):
            print(f"{indent}{name}: {value:,.4g}" if abs(value) < 1000 else f"{indent}{name}: {value:,.0f}")
        else:
            print(f"{indent}{name}: {value:,}" if isinstance(value, int) else f"{indent}{name}: {value}")

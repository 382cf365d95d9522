"""`scripts/score NAME`: holds what the platform says against known answers, for people or as one JSON object.

A score is a module of this folder with a docstring that says what is held against what, and two functions:
``add_arguments(parser)`` and ``measure(arguments, say)``, which returns a dictionary. It is never a test: which data
are at hand differs from place to place, and what is missing is said on stderr.
"""

import argparse
import importlib
import json
import sys
from typing import Any

SCORES = {"alerts": "score_alerts"}
"""Name to module."""


def main() -> int:
    """Reckon the score that was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/score", description=__doc__.split("\n\n")[0])
    names = parser.add_subparsers(title="scores", metavar="NAME", required=True)
    for name, module_name in SCORES.items():
        module = importlib.import_module(module_name)
        summary = (module.__doc__ or "").split("\n")[0]
        score = names.add_parser(name, help=summary, description=module.__doc__)
        score.add_argument("--json", action="store_true", help="one JSON object on stdout")
        module.add_arguments(score)
        score.set_defaults(measure=module.measure)
    arguments = parser.parse_args()
    report = arguments.measure(arguments, _say)
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
        else:
            print(f"{indent}{name}: {value:.4g}" if isinstance(value, float) else f"{indent}{name}: {value}")


if __name__ == "__main__":
    raise SystemExit(main())

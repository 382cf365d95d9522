"""`smartpark factors check`: every problem of a file of factors at once. Loading needs a database: see storage/."""

import argparse
import json
from pathlib import Path

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError

SUMMARY = "conversion coefficients and emission factors: check, load, list, show"

_FORM = """\
A file looks like this; values may be in the units of the document:

  [[factor]]
  id = "hill:raw_coal:ncv:2026-10"      # stable, recorded with every number computed by it
  kind = "net_calorific_value"
  carrier = "raw_coal"
  scope = "measured"                    # measured, then supplier, go before any table
  park = "hill"
  value = 20.1
  unit = "MJ/kg"
  valid_from = 2026-10-01
  source = "laboratory report 2026-118"
  grade = "P"                           # P primary text, C two sources, S one, X computed, M## memory
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `factors check`; storage adds `load`, `list` and `show` to the same group."""
    verbs = command_group(subparsers, "factors", SUMMARY)
    check = verbs.add_parser(
        "check",
        help="report every problem of a file of factors, with row and key",
        description="Checks files of factors (TOML) against each other's form and the rows that come with the "
        "platform, without touching any database. Exit code 2 when there are problems.",
        epilog=_FORM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("file", type=Path, nargs="+", metavar="FILE")
    check.add_argument("--json", action="store_true", help="one JSON object: files, rows, problems")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    from smartpark.factor_files import load_factor_file
    from smartpark.factors import builtin_factors

    files: list[Path] = arguments.file
    problems: list[dict[str, str]] = []
    said: list[str] = []
    rows = 0
    for file in files:
        try:
            found = load_factor_file(file, beside=builtin_factors().factor)
        except InvalidFileError as error:
            problems += [{"file": p.file, "key": p.key, "message": p.message} for p in error.problems]
            said += [str(p) for p in error.problems]
            continue
        rows += len(found)
        said.append(f"{file}: ok, {len(found)} rows")
    if arguments.json:
        print(json.dumps({"files": len(files), "rows": rows, "problems": problems}, ensure_ascii=False))
    else:
        print("\n".join(said))
    return 2 if problems else 0

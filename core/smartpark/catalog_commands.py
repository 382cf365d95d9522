"""`smartpark catalog check`: every problem of a catalogue at once. Loading needs a database: see storage/."""

import argparse
import json
from pathlib import Path

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `catalog check`; storage adds `load` and `show` to the same group."""
    verbs = command_group(subparsers, "catalog", "park catalogues: check, load, show")
    check = verbs.add_parser(
        "check",
        help="report every problem of a catalogue, with file and key",
        description="Checks a park catalogue (TOML) without touching any database. Exit code 2 when it has problems.",
    )
    check.add_argument("file", type=Path, nargs="+", metavar="FILE")
    check.add_argument("--json", action="store_true", help="one JSON object: files, points, problems")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    from smartpark.catalogue import load_catalogue

    files: list[Path] = arguments.file
    problems: list[dict[str, str]] = []
    summaries: list[str] = []
    points = 0
    for file in files:
        try:
            catalogue = load_catalogue(file)
        except InvalidFileError as error:
            problems += [{"file": p.file, "key": p.key, "message": p.message} for p in error.problems]
            summaries += [str(p) for p in error.problems]
            continue
        found = sum(1 for _ in catalogue.points())
        points += found
        summaries.append(
            f"{file}: ok. {catalogue.park.name} ({catalogue.park.name_en}): {len(catalogue.enterprise)} enterprises, "
            f"{len(catalogue.device)} devices, {found} points"
        )
    if arguments.json:
        print(json.dumps({"files": len(files), "points": points, "problems": problems}, ensure_ascii=False))
    else:
        print("\n".join(summaries))
    return 2 if problems else 0

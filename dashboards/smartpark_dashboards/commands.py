"""Commands of this room: `smartpark dashboards build` and `check`."""

import argparse
from pathlib import Path

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError

from smartpark_dashboards.generated import outdated_files, render_files, write_files

_FOLDER = Path("dashboards/generated")


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `dashboards build` and `dashboards check`."""
    verbs = command_group(subparsers, "dashboards", "Grafana dashboards: build, check")
    build = verbs.add_parser(
        "build",
        help="write the dashboards' JSON",
        description="Writes the JSON files that Grafana reads. They are committed: running Grafana needs no Python.",
    )
    check = verbs.add_parser(
        "check",
        help="say whether the JSON files are up to date",
        description="Compares the JSON files with the code. Exit code 2 when one differs.",
    )
    for parser, run in ((build, _build), (check, _check)):
        parser.add_argument(
            "--folder", type=Path, default=_FOLDER, metavar="DIR", help=f"where the files are (default {_FOLDER})"
        )
        parser.set_defaults(run=run)


def _build(arguments: argparse.Namespace) -> int:
    written = write_files(arguments.folder)
    print("\n".join(f"wrote {path}" for path in written) or "up to date")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    problems = outdated_files(arguments.folder)
    if problems:
        raise InvalidFileError(problems)
    print(f"{len(render_files())} dashboards are up to date")
    return 0

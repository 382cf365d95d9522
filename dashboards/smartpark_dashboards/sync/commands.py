"""`smartpark grafana sync`."""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers
from smartpark.errors import SmartparkError

if TYPE_CHECKING:
    from smartpark_dashboards.sync.declared import Declared
    from smartpark_dashboards.sync.steps import Book, Step

_DESCRIPTION = """\
Brings a Grafana server to what CONFIG.toml declares: organisations (one per park or group of parks, each with its own
data source), people, teams, folders and their permissions, dashboards, service accounts, preferences, playlists. What
fits already is not written, so a second run writes nothing. It deletes no object that you have; what Grafana has from
files is left alone. Passwords come from files or variables that CONFIG.toml names. docs/grafana.md has an example.

Exit code: 0 done, or nothing to do; 1 Grafana refused, cannot be reached or does not reach its data source; 2
CONFIG.toml is wrong; 3 only with --dry-run: there is something to do.
"""


def register(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `grafana sync`."""
    sync = verbs.add_parser(
        "sync",
        help="bring a Grafana server to what a file declares",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sync.add_argument("config", type=Path, metavar="CONFIG.toml", help="what the server should have")
    sync.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    sync.add_argument("--json", action="store_true", help="for machines: every step with what came of it")
    sync.set_defaults(run=_sync)


def _sync(arguments: argparse.Namespace) -> int:
    from smartpark.tomlfile import load_model

    from smartpark_dashboards.sync.declared import Declared
    from smartpark_dashboards.sync.steps import Book

    declared = load_model(arguments.config, Declared)
    book = Book(dry=arguments.dry_run)
    if arguments.json:
        return _as_json(declared, book)
    version = _with_progress(declared, book)
    counted = Counter(step.action.value for step in book.steps)
    said = ", ".join(f"{count} {action}" for action, count in sorted(counted.items()))
    print(f"Grafana {version}: {said}." + (" Nothing was written (--dry-run)." if book.dry else ""))
    return _exit_code(book)


def _with_progress(declared: "Declared", book: "Book") -> str:
    from tqdm import tqdm

    from smartpark_dashboards.sync.run import synchronise, things_of
    from smartpark_dashboards.sync.steps import Action

    with tqdm(total=things_of(declared), unit="step", disable=None, leave=False) as bar:

        def heard(step: "Step") -> None:
            if step.action is not Action.KEEP:
                bar.write(str(step))
            bar.update()

        book.heard = heard
        return synchronise(declared, book)


def _as_json(declared: "Declared", book: "Book") -> int:
    from smartpark_dashboards.sync.run import synchronise

    told: dict[str, object] = {"dry_run": book.dry, "version": None, "error": None}
    try:
        told["version"] = synchronise(declared, book)
    except SmartparkError as error:
        told["error"] = str(error)
    print(json.dumps(told | {"steps": book.rows()}, ensure_ascii=False, indent=2))
    return 1 if told["error"] else _exit_code(book)


def _exit_code(book: "Book") -> int:
    if book.problems:
        return 1
    return 3 if book.dry and book.writes else 0

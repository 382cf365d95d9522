"""`smartpark factors load`, `list` and `show`: the rows that numbers are computed with, as the database has them."""

import argparse
import getpass
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError
from smartpark.factor_commands import SUMMARY

if TYPE_CHECKING:
    from smartpark_storage.connections import Connection

_WHERE = "The database is the one SMARTPARK_DSN names, with SMARTPARK_DSN_PASSWORD_FILE for its password."


def register_factors(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `load`, `list` and `show` to the group that core's `check` is in."""
    verbs = command_group(subparsers, "factors", SUMMARY)
    load = verbs.add_parser(
        "load",
        help="add the rows of files, e.g. what a park measured or this year's primary coefficient",
        description="Adds rows of factors (TOML, see `smartpark factors check --help`). A row that is there already "
        "is left alone; one that says something else under a known id is refused: a correction gets an id of its own "
        f"and `supersedes`. Numbers published before keep their factors until they are derived again. {_WHERE}",
    )
    load.add_argument("file", type=Path, nargs="+", metavar="FILE")
    load.add_argument(
        "--json", action="store_true", help="one JSON object per file: rows added, known, set's version"
    )
    load.set_defaults(run=_load)
    listing = verbs.add_parser("list", help="rows there are", description=f"Lists rows of factors. {_WHERE}")
    for name, meaning in (
        ("kind", "only rows of this kind, e.g. carbon_dioxide"),
        ("carrier", "only rows of this carrier, e.g. natural_gas"),
        ("scope", "only rows of this scope, e.g. provincial:FJ"),
        ("park", "only rows of this park's own"),
    ):
        listing.add_argument(f"--{name}", metavar=name.upper(), help=meaning)
    listing.add_argument("--json", action="store_true", help="one JSON object per row")
    listing.set_defaults(run=_list)
    show = verbs.add_parser(
        "show",
        help="one row with its source, and the numbers that rest on it",
        description=f"Shows a row of factors, and how many published numbers rest on it. {_WHERE}",
    )
    show.add_argument("id", metavar="ID")
    show.add_argument("--json", action="store_true", help="one JSON object")
    show.set_defaults(run=_show)


def _connect() -> "Connection":
    from smartpark_storage.connections import connect, dsn_from_environment

    return connect(dsn_from_environment(), application="smartpark")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run us under a number that has no name
        return f"uid {os.getuid()}"


def _load(arguments: argparse.Namespace) -> int:
    from smartpark.factor_files import load_factor_file

    from smartpark_storage.factors import load_factor_set, load_factors

    files: list[Path] = arguments.file
    with _connect() as connection:
        there = {row.id: row for row in load_factor_set(connection).factor}
        loads = [(file, load_factor_file(file, beside=there.values())) for file in files]
        for file, rows in loads:
            report = load_factors(connection, rows, origin=file.name, loaded_by=_user())
            if arguments.json:
                facts = {
                    "file": str(file),
                    "added": [row.id for row in report.added],
                    "known": report.known,
                    "version": report.version,
                }
                print(json.dumps(facts, ensure_ascii=False))
            else:
                print(f"{file}: {len(report.added)} added, {report.known} known; the set is {report.version} now")
                for row in report.added:
                    print(
                        f"  {row.id} holds from {row.valid_from}; to apply it to what is published: smartpark derive"
                    )
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from smartpark_storage.factors import list_factors

    with _connect() as connection:
        rows = list_factors(
            connection, kind=arguments.kind, carrier=arguments.carrier, scope=arguments.scope, park=arguments.park
        )
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if arguments.json else _line(row))
    if not rows and not arguments.json:
        print("no rows")
    return 0


def _words(row: dict[str, Any]) -> tuple[str, str]:
    """Kind and carrier, in Chinese and English."""
    from smartpark.factor_kinds import KIND_WORDS, FactorKind
    from smartpark.measurands import CARRIER_WORDS, Carrier

    kind, carrier = KIND_WORDS[FactorKind(row["kind"])], CARRIER_WORDS[Carrier(row["carrier"])]
    return f"{carrier[0]}{kind[0]}", f"{kind[1]} of {carrier[1]}"


def _line(row: dict[str, Any]) -> str:
    until = f" to {row['valid_to']}" if row["valid_to"] else ""
    marks = "  (historical)" if row["historical"] else ""
    zh, _ = _words(row)
    value = f"{row['value']:.10g} {row['unit']}"
    return f"{row['id']}  {zh}  {row['scope']}  {value}  from {row['valid_from']}{until}  {row['grade']}{marks}"


def _show(arguments: argparse.Namespace) -> int:
    from smartpark_storage.factors import factor_uses, list_factors

    with _connect() as connection:
        rows = list_factors(connection, factor_id=arguments.id)
        uses = factor_uses(connection, arguments.id)
    if not rows:
        raise SmartparkError(f"no factor has the id {arguments.id!r}; `smartpark factors list` shows those there are")
    (row,) = rows
    if arguments.json:
        print(json.dumps({**row, "uses": uses}, ensure_ascii=False, default=str))
        return 0
    print("\n".join(_words(row)))
    print("\n".join(f"{name:>12}: {value}" for name, value in row.items() if value not in {None, ""}))
    for use in uses:
        print(f"{'used by':>12}: {use['indicator']}, {use['revisions']} revisions, {use['first']} to {use['last']}")
    return 0

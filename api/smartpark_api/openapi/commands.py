"""`smartpark api describe`: the OpenAPI document without a server, and what a change of it means for others."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError

if TYPE_CHECKING:
    from smartpark_api.openapi.changes import Change

_EPILOG = """\
What a server answers at /api/v1/openapi.json, as one tells it that asks everybody to prove who they are. Needs no
database.

  smartpark api describe --against docs/openapi.json     say what has changed since, and what of it breaks others
  smartpark api describe --write docs/openapi.json       keep it; refused when something breaks, but with --breaking

docs/api-versioning.md says what counts as breaking, and what to do instead.
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this part's command."""
    group = command_group(subparsers, "api", "the HTTP API and the pages")
    parser: argparse.ArgumentParser = group.add_parser(
        "describe",
        help="print the OpenAPI document, or say what has changed in it",
        description="Print the OpenAPI document, keep it in a file, or say what has changed since one was kept.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with a document that was kept")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the document in a file")
    parser.add_argument("--breaking", action="store_true", help="with --write: although it breaks who uses the API")
    parser.add_argument("--json", action="store_true", help="with --against: for machines")
    parser.set_defaults(run=_describe)


def _describe(arguments: argparse.Namespace) -> int:
    from smartpark_api.openapi.keeping import kept_text, read_kept, told_document

    document = told_document()
    if arguments.against is not None:
        return _say(_changes(read_kept(arguments.against), document), as_json=arguments.json)
    if arguments.write is None:
        print(kept_text(document), end="")
        return 0
    file: Path = arguments.write
    breaking = [one for one in _changes(read_kept(file), document) if one.is_breaking] if file.exists() else []
    if breaking and not arguments.breaking:
        listed = "\n".join(f"  {one}" for one in breaking)
        raise SmartparkError(
            f"{file}: {len(breaking)} changes break whoever uses the API; docs/api-versioning.md says what to do "
            f"instead, --breaking keeps them all the same:\n{listed}"
        )
    file.write_text(kept_text(document), encoding="utf-8")
    return 0


def _changes(old: dict[str, Any], new: dict[str, Any]) -> "list[Change]":
    from smartpark_api.openapi.changes import changes

    return changes(old, new)


def _say(found: "list[Change]", *, as_json: bool) -> int:
    """Print changes; 1 when one of them breaks somebody."""
    if as_json:
        listed = [{"effect": one.effect.value, "where": one.where, "what": one.what} for one in found]
        print(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        print("\n".join(map(str, found)) or "no change")
    return 1 if any(one.is_breaking for one in found) else 0

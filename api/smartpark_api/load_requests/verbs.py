"""What the verbs of `smartpark requests` share: how they are declared, and how they print."""

import argparse
import json
import sys
from collections.abc import Callable
from enum import StrEnum

from smartpark.cli import Subparsers

WHERE = "The database is the one SMARTPARK_DSN names; what each word means: docs/load-requests.md."


def verb(
    verbs: "Subparsers[argparse.ArgumentParser]",
    name: str,
    summary: str,
    epilog: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """Add a verb with what it says of itself."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def told(kind: type[StrEnum]) -> str:
    """Words an option takes."""
    return ", ".join(member.value for member in kind)


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print what the API answers")


def tell(arguments: argparse.Namespace, document: object, lines: list[str]) -> int:
    """Print a document, or its lines for people."""
    text = json.dumps(document, ensure_ascii=False, indent=2) if arguments.json else "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    return 0

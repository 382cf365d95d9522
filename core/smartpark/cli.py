"""The `smartpark` command: one door, behind which each installed room has its own sub-commands.

A room registers by the entry-point group ``smartpark.commands``; the function it names receives argparse's
sub-parsers and sets ``run`` on each parser it adds. Nothing is computed here. Errors of ours become one
message on stderr and exit code 2 (bad input) or 1 (did not work); anything else is a bug and shows its traceback.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version
from weakref import WeakKeyDictionary

from smartpark.errors import InvalidFileError, SmartparkError

Subparsers = argparse._SubParsersAction  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
# argparse gives the type of its own return value no public name.
Run = Callable[[argparse.Namespace], int | None]
_groups: WeakKeyDictionary[argparse.ArgumentParser, "Subparsers[argparse.ArgumentParser]"] = WeakKeyDictionary()

_ENTRY = "import sys; from smartpark.cli import main; raise SystemExit(main(sys.argv[1:]))"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_EPILOG = """\
Start here:
  scripts/demo                          a whole park at work, in your browser
  smartpark catalog check FILE          every problem of a park catalogue at once
  smartpark edge listen mqtt://HOST     see what meters say, and propose catalogue entries
Every command explains itself with --help; most give --json for machines.
"""


def command_group(
    subparsers: "Subparsers[argparse.ArgumentParser]", name: str, summary: str
) -> "Subparsers[argparse.ArgumentParser]":
    """Verbs of ``smartpark NAME``; rooms that ask for the same group share it (`catalog check`, `catalog load`)."""
    existing: argparse.ArgumentParser | None = subparsers.choices.get(name)
    if existing is not None:
        return _groups[existing]
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=summary, description=summary)
    _groups[parser] = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    return _groups[parser]


def command_line(*arguments: str) -> list[str]:
    """Command line that runs a smartpark command in this very environment, wherever its script lies."""
    return [sys.executable, "-c", _ENTRY, *arguments]


def build_parser() -> argparse.ArgumentParser:
    """Parser with the sub-commands of every installed room."""
    parser = argparse.ArgumentParser(
        prog="smartpark",
        description="Open platform for industrial parks: energy, power demand, carbon and sulfur. 智慧园区平台",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smartpark {version('smartpark')}")
    parser.add_argument(
        "--log-level",
        default=os.environ.get("SMARTPARK_LOG_LEVEL", "INFO"),
        choices=_LEVELS,
        help="how much to log on stderr (default INFO; SMARTPARK_LOG_LEVEL)",
    )
    subparsers: Subparsers[argparse.ArgumentParser] = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    for entry in sorted(entry_points(group="smartpark.commands"), key=lambda e: e.name):
        entry.load()(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the process's exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.log_level not in _LEVELS:  # argparse takes a default as it is
        parser.error(f"SMARTPARK_LOG_LEVEL is {arguments.log_level!r}; it is one of {', '.join(_LEVELS)}")
    logging.basicConfig(
        level=arguments.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Says every request it makes at the level at which we say what matters.
    if arguments.log_level == "INFO":
        logging.getLogger("httpx").setLevel(logging.WARNING)
    run: Run = arguments.run
    try:
        return run(arguments) or 0
    except InvalidFileError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except SmartparkError as error:
        print(f"smartpark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again while flushing stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0

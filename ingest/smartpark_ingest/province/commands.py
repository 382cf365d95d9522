"""`smartpark province`: pull the aggregates of other instances, follow how far that is, compare digests."""

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.errors import SmartparkError
from smartpark.metrics_options import add_metrics_options, metrics_address

if TYPE_CHECKING:
    from smartpark_ingest.province.patience import Patience
    from smartpark_ingest.province.pulling import Database
    from smartpark_ingest.province.sources import Source

_log = logging.getLogger(__name__)
_PATIENCE_S = 600.0

_DESCRIPTION = """\
Pulls published numbers of other smartpark instances into this database, late corrections and submissions included.
What was pulled is served on from here: `smartpark api serve` on the province's database answers for all parks of all
sources.

A pull may be stopped, killed, repeated: each page is stored with the cursor behind it, nothing twice, nothing missed.
Start with an empty database (`smartpark migrate`), an API key of role `province` from each instance, and:

    smartpark province pull https://park.example.cn --key-file park.key --into postgresql://province@db/province
    smartpark province verify https://park.example.cn --key-file park.key --into postgresql://province@db/province
"""
_EPILOG = """\
The key stands in a file, never on the command line. Keys are made over there:
    smartpark access client add province --title "省平台"
    smartpark access grant client:province province --all-parks
    smartpark access key make province --into park.key
--into defaults to SMARTPARK_DSN; a password comes from SMARTPARK_DSN_PASSWORD_FILE. See docs/province.md.
"""


def register_province(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark province`` and its verbs."""
    verbs = command_group(subparsers, "province", "pull the aggregates of other instances")
    parser: argparse.ArgumentParser = subparsers.choices["province"]
    parser.description, parser.formatter_class = _DESCRIPTION, argparse.RawDescriptionHelpFormatter
    pull = _verb(verbs, "pull", "pull everything one source has, and end", _DESCRIPTION)
    _add_source(pull)
    pull.add_argument(
        "--patience",
        type=float,
        default=_PATIENCE_S,
        metavar="S",
        help="how long to go on trying while the source does not answer, in seconds (default 600)",
    )
    pull.set_defaults(run=_pull)
    verify = _verb(
        verbs,
        "verify",
        "compare a source's digest with ours",
        "Asks the source for the digest over its current numbers as of our last pull, forms ours over the same rows, "
        "and says whether they are the same. Exit code 1: they are not.",
    )
    _add_source(verify)
    verify.add_argument("--patience", type=float, default=60.0, metavar="S", help="as for pull (default 60)")
    verify.set_defaults(run=_verify)
    run = _verb(
        verbs, "run", "pull many sources for good", "Pulls each source of a TOML file every so often, until stopped."
    )
    run.add_argument("file", type=Path, help="TOML file of sources; docs/province.md has one with comments")
    run.add_argument("--check", action="store_true", help="only say whether the file is right")
    add_metrics_options(run)
    run.set_defaults(run=_run)
    status = _verb(
        verbs,
        "status",
        "how far each source has been pulled",
        "Of each source: rows, when we had all, what is wrong.",
    )
    status.set_defaults(run=_status)
    forget = _verb(
        verbs,
        "forget",
        "remove what was pulled from a source, to pull it anew",
        "For a source that was restored from a backup and says something else now under numbers of revisions that "
        "were pulled before. Removes its published numbers here, but for those that were submitted; the next pull "
        "brings them anew. Whoever pulls from us starts over. Needs the owner of the database.",
    )
    forget.add_argument("source", help="its name, as `province status` shows it")
    forget.add_argument("--yes", action="store_true", help="really")
    forget.set_defaults(run=_forget)
    for verb in (pull, verify, run, status, forget):
        verb.add_argument("--into", metavar="DSN", help="database to pull into (default: SMARTPARK_DSN)")
    for verb in (pull, verify, status):
        verb.add_argument("--json", action="store_true", help="JSON for machines")


def _verb(verbs: "Subparsers[argparse.ArgumentParser]", name: str, words: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name, help=words, description=text, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="where the source answers: https://host[:port][/prefix]")
    parser.add_argument("--source", metavar="NAME", help="its name here (default: its host)")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--key-file", type=Path, metavar="FILE", help="file of an API key of the source")
    secret.add_argument("--client-id", metavar="ID", help="OAuth client of the source, with --client-secret-file")
    parser.add_argument("--client-secret-file", type=Path, metavar="FILE", help="file of the client's secret")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates to trust in place of the system's")
    parser.add_argument("--park", action="append", default=[], metavar="CODE", help="only this park; may be repeated")
    parser.add_argument("--indicator", action="append", default=[], metavar="CODE", help="only this indicator; ditto")
    parser.add_argument(
        "--grain",
        action="append",
        default=[],
        choices=["hour", "day", "month", "year"],
        help="only this grain; ditto",
    )
    parser.add_argument("--revisions", choices=["latest", "all"], default="latest", help="superseded ones as well?")
    parser.add_argument(
        "--page-rows", type=int, default=20_000, metavar="N", help="rows of an answer (default 20000)"
    )


def _source_of(arguments: argparse.Namespace) -> "Source":
    from smartpark.tomlfile import parse_model

    from smartpark_ingest.province.sources import Source, name_of_address

    given = {
        "name": arguments.source or name_of_address(arguments.url),
        "url": arguments.url,
        "key_file": arguments.key_file,
        "client_id": arguments.client_id,
        "client_secret_file": arguments.client_secret_file,
        "ca_file": arguments.ca_file,
        "parks": arguments.park,
        "indicators": arguments.indicator,
        "grains": arguments.grain,
        "revisions": arguments.revisions,
        "page_rows": arguments.page_rows,
    }
    return parse_model(given, Source, file="command line")


def _dsn(arguments: argparse.Namespace) -> str:
    import os

    from smartpark_storage import dsn_from_environment

    return dsn_from_environment(os.environ | ({"SMARTPARK_DSN": arguments.into} if arguments.into else {}))


@contextmanager
def _at_work(arguments: argparse.Namespace) -> "Generator[tuple[Database, Patience]]":
    """The database, and patience that ends on SIGTERM and SIGINT."""
    from smartpark_ingest.counters import Counters
    from smartpark_ingest.database import PatientDatabase
    from smartpark_ingest.province.patience import Patience
    from smartpark_ingest.province.pulling import Database

    stop = _stop_on_signals()
    database = PatientDatabase(_dsn(arguments), application="smartpark province", stop=stop, counters=Counters())
    try:
        yield Database(database.run), Patience(stop, most_s=arguments.patience)
    finally:
        database.close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    return stop


def _pull(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from smartpark_ingest.province.client import SourceClient
    from smartpark_ingest.province.pulling import Pull

    source = _source_of(arguments)
    with _at_work(arguments) as (database, patience), SourceClient(source) as client:
        shown = not arguments.json and sys.stderr.isatty()
        with tqdm(unit=" rows", unit_scale=True, desc=source.name, disable=not shown) as bar:
            report = Pull(source, client, database, patience).run(bar.update)
    if arguments.json:
        print(json.dumps(asdict(report)))
    elif report.unchanged:
        print(f"{source.name}: nothing new")
    else:
        print(
            f"{source.name}: {report.rows:,} rows in {report.pages} pages, {report.new:,} new, "
            f"{report.submissions} submissions, {report.seconds:.1f} s, {report.retries} retries"
        )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from smartpark_ingest.province.client import SourceClient
    from smartpark_ingest.province.verifying import compare

    source = _source_of(arguments)
    with _at_work(arguments) as (database, patience), SourceClient(source) as client:
        found = compare(source, client, database, patience)
    if arguments.json:
        print(json.dumps(asdict(found) | {"is_same": found.is_same}))
    else:
        verdict = "the same" if found.is_same else "DIFFERENT"
        print(f"{source.name}: {verdict}")
        print(f"  there {found.their_rows:>12,} rows  {found.their_digest}")
        print(f"  here  {found.our_rows:>12,} rows  {found.our_digest}")
    return 0 if found.is_same else 1


def _run(arguments: argparse.Namespace) -> int:
    from smartpark.vitals import vitals_port

    from smartpark_ingest.province.sources import load_sources
    from smartpark_ingest.province.worker import ProvinceWorker

    sources = load_sources(arguments.file)
    if arguments.check:
        print(f"{arguments.file}: {len(sources)} sources, all right")
        return 0
    worker = ProvinceWorker(_dsn(arguments), sources, _stop_on_signals())
    with vitals_port(worker.vitals, metrics_address(arguments)):
        worker.run()
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect
    from smartpark_storage.aggregates import forget_pulled, read_source

    with closing(connect(_dsn(arguments), application="smartpark province forget")) as connection:
        source = read_source(connection, arguments.source)
        if not arguments.yes:
            raise SmartparkError(
                f"{source.source}: {source.rows:,} revisions pulled from {source.url} would be removed here; "
                "say --yes to do so"
            )
        removed = forget_pulled(connection, source.source)
        connection.commit()
    print(f"{source.source}: {removed:,} revisions removed; pull it anew")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect
    from smartpark_storage.aggregates import read_sources

    with closing(connect(_dsn(arguments), application="smartpark province status")) as connection:
        found = read_sources(connection)
    for one in found:
        if arguments.json:
            print(json.dumps(asdict(one), default=str))
            continue
        complete = "never" if one.complete_at is None else f"{one.complete_at:%Y-%m-%d %H:%M:%S} UTC"
        print(f"{one.source}: {one.rows:,} rows, complete {complete}, {one.url}")
        if one.error:
            print(f"  since {one.error_at:%Y-%m-%d %H:%M:%S} UTC: {one.error}")
    if not found and not arguments.json:
        raise SmartparkError(
            "nothing has been pulled into this database yet; begin with: smartpark province pull URL"
        )
    return 0

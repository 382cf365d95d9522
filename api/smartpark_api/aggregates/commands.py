"""`smartpark aggregates`: what others pull, from the database itself: rows into a file, digests, totals.

Reads only, but for its line in the audit log. Over HTTP the same is `GET /api/v1/aggregates`; whoever pulls another
instance uses `smartpark province pull`.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group

from smartpark_api.aggregates.submission_commands import register_submissions

if TYPE_CHECKING:
    from smartpark_storage.aggregates import FeedFilter
    from smartpark_storage.connections import Connection

    from smartpark_api.aggregates.submission_terminal import Told

_ENDINGS = ("ndjson", "csv", "parquet", "arrow")
_WHERE = "The database is the one SMARTPARK_DSN names. Columns and cursors: docs/aggregates.md."
_PULL = f"""\
Writes rows into a new file in the form its name ends with: .ndjson, .csv, .parquet, .arrow; without --into, NDJSON to
standard output. With --cursor-file only what has changed since the last time is written, late corrections included,
and the file is brought up to date once the rows are safe. {_WHERE}

  smartpark aggregates pull --into all.parquet
  smartpark aggregates pull --park minhou-demo --grain month --indicator electricity_consumption
  smartpark aggregates pull --into changes.csv --cursor-file minhou.cursor --park minhou-demo
"""
_DIGEST = f"""\
One digest over everything that holds: two databases with the same one hold the same numbers. {_WHERE}

  smartpark aggregates digest
  smartpark aggregates digest --park minhou-demo --grain month --json
"""
_TOTALS = f"""\
Amounts are added up over parks, ratios are divided last, whoever has no number is named and is no zero. Highest
values do not add up and are refused. Totals over enterprises keep the secrecy of statistics. {_WHERE}

  smartpark aggregates totals electricity_consumption month --from 2026-01-01 --to 2027-01-01
  smartpark aggregates totals carbon_per_energy year --from 2026-01-01 --to 2027-01-01 --region 350100 --json
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark aggregates`` and ``smartpark submissions``."""
    group = command_group(subparsers, "aggregates", "what others pull: published numbers, digests, totals")
    pull: argparse.ArgumentParser = group.add_parser(
        "pull",
        help="write published numbers into a file, all or what has changed since",
        description="Write published numbers with their revisions into a file. 导出汇总数据",
        epilog=_PULL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_filters(pull)
    pull.add_argument("--into", metavar="FILE", type=Path, help=f"new file, .{', .'.join(_ENDINGS)}")
    pull.add_argument(
        "--cursor-file", metavar="FILE", type=Path, help="where the last pull ended and the next begins"
    )
    pull.add_argument(
        "--revisions",
        choices=("latest", "all"),
        default="latest",
        help="latest: what holds, and whatever was submitted (default); all: every revision",
    )
    pull.add_argument("--json", action="store_true", help="say how many rows and the cursor as JSON")
    pull.set_defaults(run=_pull)
    digest: argparse.ArgumentParser = group.add_parser(
        "digest",
        help="one digest over all numbers that hold",
        description="Work out one digest over all numbers that hold. 数据摘要",
        epilog=_DIGEST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_filters(digest)
    digest.add_argument("--json", action="store_true", help="print JSON")
    digest.set_defaults(run=_digest)
    totals: argparse.ArgumentParser = group.add_parser(
        "totals",
        help="one number over many parks",
        description="Add up one number over many parks. 区域合计",
        epilog=_TOTALS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    totals.add_argument("indicator", help="code, e.g. electricity_consumption")
    totals.add_argument("grain", choices=("hour", "day", "month", "year"), help="length of the periods")
    _add_span(totals, is_required=True)
    totals.add_argument("--region", metavar="CODE", help="GB/T 2260 code of a province, city or county")
    totals.add_argument(
        "--boundary", choices=("park", "enterprise"), default="park", help="what is added up (default: parks)"
    )
    totals.add_argument("--json", action="store_true", help="print what the API answers")
    totals.set_defaults(run=_totals)
    register_submissions(subparsers, _runs)


def _runs(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        from smartpark_api.aggregates import submission_terminal

        told: Told = getattr(submission_terminal, name)(arguments)
        for line in told.lines:
            print(line)
        return told.code

    return run


def _add_filters(parser: argparse.ArgumentParser) -> None:
    for name, said in (
        ("park", "only of this park; may be given several times"),
        ("boundary", "kind (park, sub_park, enterprise, device …) or a single one (enterprise/T03); several times"),
        ("indicator", "only this one; several times"),
        ("grain", "hour, day, month or year; several times"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=said)
    _add_span(parser, is_required=False)


def _add_span(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    for name, said in (("from", "begin then or later"), ("to", "begin before")):
        parser.add_argument(
            f"--{name}",
            dest=f"{name}_",
            metavar="TIME",
            required=is_required,
            help=f"periods that {said}: 2026-11-01, or an instant with offset",
        )


def _pull(arguments: argparse.Namespace) -> int:
    import json

    from smartpark_storage.connections import connect, dsn_from_environment
    from tqdm import tqdm

    from smartpark_api.aggregates.files import row_file
    from smartpark_api.aggregates.terminal import form_of, log_reading, pages, read_cursor, write_cursor

    into: Path | None = arguments.into
    cursor_file: Path | None = arguments.cursor_file
    form, after = form_of(into), read_cursor(cursor_file)
    rows = 0
    with connect(dsn_from_environment(), application="smartpark aggregates") as connection:
        wanted = _filter(connection, arguments)
        end = after
        with row_file(into, form) as file, tqdm(unit=" rows", file=sys.stderr, disable=None) as shown:
            for page in pages(connection, wanted, after):
                file.write(page.columns)
                rows, end = rows + len(page.columns), page.next
                shown.update(len(page.columns))
        log_reading(connection, "cli:aggregates pull", arguments.park, rows)
    text = "" if end is None else end.encode()
    write_cursor(cursor_file, text)
    if arguments.json and into is not None:
        print(json.dumps({"rows": rows, "file": str(into), "cursor": text}))
    elif into is not None:
        print(f"{into}: {rows} rows")
    return 0


def _digest(arguments: argparse.Namespace) -> int:
    import json

    from smartpark_storage.aggregates import cursor_at, head, state_digest
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.aggregates.terminal import log_reading

    with connect(dsn_from_environment(), application="smartpark aggregates") as connection:
        wanted = _filter(connection, arguments)
        with transaction(connection):
            upto = head(connection)
            found = state_digest(connection, wanted, at=upto.position)
        log_reading(connection, "cli:aggregates digest", arguments.park, found.rows)
    said = {
        "instance": str(upto.instance),
        "cursor": cursor_at(wanted, upto).encode(),
        "rows": found.rows,
        "sha256": found.sha256,
    }
    print(json.dumps(said, indent=2) if arguments.json else f"{found.sha256}  {found.rows} rows")
    return 0


def _totals(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark.periods import Grain
    from smartpark_storage.connections import connect, dsn_from_environment

    from smartpark_api.aggregates.summing import TotalsOf, day_of, total_up
    from smartpark_api.aggregates.terminal import known_indicators, log_reading, region_of, span_of, totals_text

    start, end = span_of(arguments.from_, arguments.to_)
    known_indicators([arguments.indicator])
    wanted = TotalsOf(
        indicator=arguments.indicator,
        grain=Grain(arguments.grain),
        start=start,
        end=end,
        region=region_of(arguments.region),
        boundary=arguments.boundary,
        scope=None,
    )
    with connect(dsn_from_environment(), application="smartpark aggregates") as connection:
        found = total_up(connection, wanted, today=day_of(utc_now()))
        log_reading(connection, "cli:aggregates totals", [], len(found.totals))
    print(found.model_dump_json(indent=2) if arguments.json else "\n".join(totals_text(found)))
    return 0


def _filter(connection: "Connection", arguments: argparse.Namespace) -> "FeedFilter":
    from smartpark_api.aggregates.terminal import filter_of

    return filter_of(connection, arguments)

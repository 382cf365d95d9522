"""`smartpark indicators` lists numbers, `smartpark explain` says where one comes from, down to meters and factors.

It only reads. The database is the one that SMARTPARK_DSN names.
"""

import argparse

from smartpark.cli import Subparsers

_EPILOG = """\
PERIOD is an hour 2026-11-22T10, a day 2026-11-22, a month 2026-11 or a year 2026, in Asia/Shanghai.

  smartpark explain carbon_location minhou-demo 2026-11-22
  smartpark explain electricity_consumption minhou-demo 2026-11-22T10 --boundary enterprise/T01
  smartpark explain comprehensive_energy minhou-demo 2026-11 --zh

  smartpark explain energy_per_value_added minhou-demo 2026-11 --boundary enterprise/T01
  smartpark explain electricity_peak minhou-demo 2026-11-22

Everything is computed anew from what is stored and compared with what is published. What a number is made of is taken
apart in turn: a ratio into both sides, those into months, days and meters, figures into who entered them when from
which document. The listed parts add up to the number to the last digit. A year ends at its published days unless
--whole is given; --listed takes nothing apart in turn. What the words mean: docs/methods/explain.md. Which codes and
boundaries there are: smartpark indicators --help
"""
_LIST_EPILOG = """\
Without a park: every indicator there can be, with unit, names and method page. With a park and a period (default:
today): the numbers that are published of it, with completeness and revision, or why there is none.

  smartpark indicators --find carbon
  smartpark indicators minhou-demo
  smartpark indicators minhou-demo 2026-11 --boundary enterprise/T01
  smartpark indicators minhou-demo 2026-11-22T10 --boundary all

`smartpark explain CODE PARK PERIOD` takes any of them apart. The database is the one that SMARTPARK_DSN names.
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `smartpark indicators` and `smartpark explain`."""
    _register_indicators(subparsers)
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="the whole derivation of a published number",
        description="Print how a published number came about: inputs, completeness, factors with source, formula.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("indicator", metavar="INDICATOR", help="code of the indicator, e.g. carbon_location")
    parser.add_argument("park", metavar="PARK", help="code of the park")
    parser.add_argument("period", metavar="PERIOD", help="hour, day, month or year; see below")
    parser.add_argument(
        "--boundary", default="park", help="park (default), sub_park/CODE, enterprise/CODE, device/CODE …"
    )
    parser.add_argument("--revision", type=int, help="an older revision to compare with (default: the current one)")
    deep = parser.add_mutually_exclusive_group()
    deep.add_argument("--whole", action="store_true", help="a year too down to the meters of each day 全部展开")
    deep.add_argument("--listed", action="store_true", help="only what it is made of itself 只列一层")
    parser.add_argument("--zh", action="store_true", help="in Chinese 用中文")
    parser.add_argument("--json", action="store_true", help="one JSON object, as GET /api/v1/indicators/explain")
    parser.set_defaults(run=_explain)


def _register_indicators(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "indicators",
        help="which numbers there are, and those of a park's day or month",
        description="List the indicators there are, or the numbers published of a park's hour, day, month or year.",
        epilog=_LIST_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("park", metavar="PARK", nargs="?", help="code of the park")
    parser.add_argument("period", metavar="PERIOD", nargs="?", help="2026-11-22T10, 2026-11-22, 2026-11 or 2026")
    parser.add_argument(
        "--boundary", default="park", help="park (default), sub_park/CODE, enterprise/CODE, device/CODE … or all"
    )
    parser.add_argument("--find", metavar="WORD", default="", help="only those with WORD in code or name 代码或名称")
    parser.add_argument("--json", action="store_true", help="one JSON list")
    parser.set_defaults(run=_indicators)


def _indicators(arguments: argparse.Namespace) -> int:
    import json

    from smartpark.clock import utc_now
    from smartpark.periods import Grain, period_containing
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.explaining.evidence import parse_period
    from smartpark_api.explaining.listing import (
        matching,
        registry_lines,
        registry_objects,
        row_lines,
        row_object,
        rows_of_period,
    )

    if arguments.park is None:
        if arguments.json:
            print(json.dumps(registry_objects(arguments.find), ensure_ascii=False))
        else:
            print("\n".join(registry_lines(arguments.find)))
        return 0
    period = parse_period(arguments.period) if arguments.period else period_containing(utc_now(), Grain.DAY)
    with connect(dsn_from_environment(), application="smartpark indicators") as connection, transaction(connection):
        rows = rows_of_period(connection, arguments.park, period, arguments.boundary)
    wanted = {meaning.code for meaning in matching(arguments.find)}
    shown = [row for row in rows if row.indicator in wanted]
    if arguments.json:
        print(json.dumps([row_object(row) for row in shown], ensure_ascii=False))
    else:
        print("\n".join(row_lines(shown)))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.explaining.evidence import LISTED, Question, Sources, explain, parse_period
    from smartpark_api.explaining.models import answer_out
    from smartpark_api.explaining.questions import depth_of
    from smartpark_api.explaining.text import told

    period = parse_period(arguments.period)
    question = Question(arguments.indicator, arguments.park, period, arguments.boundary, arguments.revision)
    depth = LISTED if arguments.listed else depth_of(period, whole=arguments.whole)
    with connect(dsn_from_environment(), application="smartpark explain") as connection, transaction(connection):
        answer = explain(Sources(connection), question, depth)
    if arguments.json:
        print(answer_out(answer).model_dump_json(by_alias=True))
    else:
        print(told(answer, chinese=arguments.zh))
    return 0

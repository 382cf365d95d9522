"""`smartpark explain`: where a published number comes from, down to the meters and factors, on the terminal.

It only reads. The database is the one that SMARTPARK_DSN names.
"""

import argparse

from smartpark.cli import Subparsers

_EPILOG = """\
PERIOD is an hour 2026-11-22T10, a day 2026-11-22, a month 2026-11 or a year 2026, in Asia/Shanghai.

  smartpark explain carbon_location minhou-demo 2026-11-22
  smartpark explain electricity_consumption minhou-demo 2026-11-22T10 --boundary enterprise/T01
  smartpark explain comprehensive_energy minhou-demo 2026-11 --zh

An hour or a day is computed anew from what is stored and compared with what is published; a month is the sum of its
published days, a year that of its months. The listed parts add up to the number to the last digit. What the words
mean: docs/methods/explain.md.
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `smartpark explain`."""
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
    parser.add_argument("--zh", action="store_true", help="in Chinese 用中文")
    parser.add_argument("--json", action="store_true", help="one JSON object, as GET /api/v1/indicators/explain")
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.explaining.evidence import Question, Sources, explain, parse_period
    from smartpark_api.explaining.models import answer_out
    from smartpark_api.explaining.text import told

    period = parse_period(arguments.period)
    question = Question(arguments.indicator, arguments.park, period, arguments.boundary, arguments.revision)
    with connect(dsn_from_environment(), application="smartpark explain") as connection, transaction(connection):
        answer = explain(Sources(connection), question)
    if arguments.json:
        print(answer_out(answer).model_dump_json(by_alias=True))
    else:
        print(told(answer, chinese=arguments.zh))
    return 0

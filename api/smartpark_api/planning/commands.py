"""`smartpark forecast` and `smartpark headroom`: the park's load ahead, and what capacity is free, on the terminal.

Both only read. They ask the database that SMARTPARK_DSN names and print what the endpoints of the API answer.
"""

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers

if TYPE_CHECKING:
    from smartpark_storage.connections import Connection

    from smartpark_api.load_requests.capacity import Ask
    from smartpark_api.load_requests.capacity_models import CapacityOut
    from smartpark_api.planning.forecasting import Score
    from smartpark_api.planning.free_capacity import Question
    from smartpark_api.planning.models import ForecastOut

_FORECAST_EPILOG = """\
Forecasts the power of the whole park (boundary meters plus own generation) from its own history and the working days
of mainland China, with an interval that holds four times out of five. --score forecasts the last weeks again and says
how far off it was, next to repeating the week before. Holidays that the built-in calendar does not have yet stand in
the file that SMARTPARK_WORKDAYS names. Method and scores: docs/methods/load-forecast.md.

  smartpark forecast minhou-demo --days 3
  smartpark forecast minhou-demo --grid 15m --json
"""
_HEADROOM_EPILOG = """\
Free capacity is what a node may carry, less its highest quarter-hour of twelve months, less what was promised to load
requests under way (smartpark requests) and what --reserved adds: by the 80 % rule, and by N-1 where transformers
stand in for each other (`station` in the catalogue). Everything in kVA. A path has what its tightest node has.
With --node or --request one place is judged by the coming year's peak, or by the seasonal maximum while there is no
forecast; else the whole network is listed. Method and worked examples: docs/methods/headroom.md.

  smartpark headroom minhou-demo
  smartpark headroom minhou-demo --ask-kva 2000 --from 2027-03 --node feeder/L1 --zh
  smartpark headroom minhou-demo --request LR-2026-000012
  smartpark headroom minhou-demo --ask-kva 2000 --from 2027-03
  smartpark headroom minhou-demo --reserved L1=1000@0.8 --station TR1+TR2
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this part's commands."""
    _register_forecast(subparsers)
    _register_headroom(subparsers)


def _register_forecast(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "forecast",
        help="load of a park in the days ahead, and the coming year's peak",
        description="Load of a park in the days ahead, and the highest of the coming year.",
        epilog=_FORECAST_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("park", help="code of the park")
    parser.add_argument(
        "--days", type=int, default=3, choices=range(1, 15), metavar="N", help="days ahead, 1 to 14 (3)"
    )
    parser.add_argument("--grid", default="hour", choices=("15m", "hour"), help="length of a slot (hour)")
    parser.add_argument("--score", action="store_true", help="forecast the last four weeks again and score it")
    _common(parser)
    parser.set_defaults(run=_forecast)


def _register_headroom(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "headroom",
        help="free capacity of transformers and feeders, and whether a new load fits",
        description="Free capacity of transformers and feeders, which rule binds, and whether a new load fits.",
        epilog=_HEADROOM_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("park", help="code of the park")
    parser.add_argument("--ask-kva", type=float, metavar="KVA", help="new load to be judged")
    parser.add_argument(
        "--coincidence",
        type=float,
        default=1.0,
        metavar="K",
        help="share of it that falls together with the peak (1)",
    )
    parser.add_argument("--node", metavar="NODE", help="judge --ask-kva there: feeder/L1, transformer/TR1")
    parser.add_argument("--request", metavar="CODE", help="judge this load request: LR-2026-000012")
    parser.add_argument("--from", dest="start", metavar="MONTH", help="when it begins: 2027-03 or 2027-03-15")
    parser.add_argument(
        "--reserved", action="append", default=[], metavar="NODE=KVA@K", help="further promise; may be repeated"
    )
    parser.add_argument(
        "--without-requests", action="store_true", help="leave out what is promised to load requests under way"
    )
    parser.add_argument(
        "--station", action="append", default=[], metavar="TR1+TR2", help="transformers that stand in for each other"
    )
    parser.add_argument(
        "--no-short-time", action="store_true", help="N-1 without loading the remaining units above their rating"
    )
    _common(parser)
    parser.set_defaults(run=_headroom)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", metavar="INSTANT", help="as of this instant, ISO 8601 with offset (now)")
    parser.add_argument("--zh", action="store_true", help="in Chinese 用中文")
    parser.add_argument("--json", action="store_true", help="print what the API answers")


def _forecast(arguments: argparse.Namespace) -> int:
    from smartpark.workdays import builtin_workdays, load_workdays

    from smartpark_api.planning.calendar_file import workday_file_from_environment
    from smartpark_api.planning.forecasting import forecast_park, score_park
    from smartpark_api.planning.models import Grid
    from smartpark_api.planning.text import PlanningText

    file = workday_file_from_environment()
    calendar = builtin_workdays() if file is None else load_workdays(file)
    now, grid = _instant(arguments.at), Grid(arguments.grid)
    score = None
    with _reading(arguments.park) as connection:
        answer = forecast_park(connection, arguments.park, now=now, calendar=calendar, days=arguments.days, grid=grid)
        if arguments.score:
            score = score_park(
                connection, arguments.park, now=now, calendar=calendar, days=arguments.days, grid=grid, origins=28
            )
    if arguments.json:
        print(_json(answer, score))
    else:
        text = PlanningText(chinese=arguments.zh)
        print("\n".join([*text.forecast(answer), *text.score(score)]))
    return 0


def _headroom(arguments: argparse.Namespace) -> int:
    from smartpark_api.planning.asking import question_of
    from smartpark_api.planning.free_capacity import headroom_of_park
    from smartpark_api.planning.text import PlanningText

    question = question_of(
        ask_kva=arguments.ask_kva,
        coincidence=arguments.coincidence,
        start=arguments.start,
        reserved=arguments.reserved,
        stations=arguments.station,
        short_time=not arguments.no_short_time,
        promised=not arguments.without_requests,
    )
    if arguments.node is not None or arguments.request is not None:
        return _capacity(arguments, question)
    with _reading(arguments.park) as connection:
        answer = headroom_of_park(connection, arguments.park, question, now=_instant(arguments.at))
    if arguments.json:
        print(answer.model_dump_json(indent=2, by_alias=True))
    else:
        print("\n".join(PlanningText(chinese=arguments.zh).headroom(answer)))
    return 0


def _capacity(arguments: argparse.Namespace, question: "Question") -> int:
    from smartpark_api.load_requests.capacity import Ask
    from smartpark_api.load_requests.capacity_text import capacity_lines
    from smartpark_api.words import Language

    with _reading(arguments.park) as connection:
        if arguments.request is not None:
            ask = _ask_of_request(connection, arguments)
        else:
            ask = Ask(
                _asked_kva(arguments),
                arguments.coincidence,
                question.start,
                arguments.node,
                is_short_time_allowed=question.is_short_time_allowed,
            )
        answer = _judged(connection, arguments, question, ask)
    if arguments.json:
        print(answer.model_dump_json(indent=2, by_alias=True))
    else:
        print("\n".join(capacity_lines(answer, Language.ZH if arguments.zh else Language.EN)))
    return 0


def _asked_kva(arguments: argparse.Namespace) -> float:
    from smartpark_api.planning.asking import QuestionError

    if arguments.ask_kva is None:
        raise QuestionError("--node judges what is asked there; say how much: --ask-kva 2000")
    return float(arguments.ask_kva)


def _ask_of_request(connection: "Connection", arguments: argparse.Namespace) -> "Ask":
    from smartpark_storage.load_requests import read_row

    from smartpark_api.load_requests.capacity import ask_of
    from smartpark_api.planning.asking import QuestionError

    if arguments.node is not None or arguments.ask_kva is not None:
        raise QuestionError("--request asks what it asks; leave --node and --ask-kva out")
    row = read_row(connection, arguments.request)
    if row.park != arguments.park:
        raise QuestionError(f"{row.code} is a request of {row.park}, not of {arguments.park}")
    return ask_of(row)


def _judged(
    connection: "Connection", arguments: argparse.Namespace, question: "Question", ask: "Ask"
) -> "CapacityOut":
    from smartpark_api.load_requests.capacity import capacity_of
    from smartpark_api.planning.loads import read_network
    from smartpark_api.planning.promised import promised_in

    loads = read_network(connection, arguments.park, now=_instant(arguments.at), stations=question.stations)
    promises = promised_in(connection, arguments.park, without=ask.request) if question.takes_promises else ()
    return capacity_of(loads, arguments.park, ask, (*promises, *question.reserved))


@contextmanager
def _reading(park: str) -> "Generator[Connection]":
    from smartpark_storage.connections import connect, dsn_from_environment

    from smartpark_api.lookup import find_park

    with connect(dsn_from_environment(), application="smartpark planning") as connection:
        find_park(connection, park)
        yield connection


def _instant(text: str | None) -> datetime:
    from smartpark.clock import parse_instant, utc_now
    from smartpark.errors import SmartparkError

    if text is None:
        return utc_now()
    try:
        return parse_instant(text)
    except ValueError as error:
        raise SmartparkError(f"--at: {error}") from None


def _json(answer: "ForecastOut", score: "Score | None") -> str:
    import dataclasses
    import json

    document = answer.model_dump(mode="json", by_alias=True)
    if score is not None:
        parts = dataclasses.asdict(score).items()
        document["score"] = {name: None if value != value else value for name, value in parts}  # noqa: PLR0124  NaN
    return json.dumps(document, indent=2, ensure_ascii=False)

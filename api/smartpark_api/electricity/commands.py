"""`smartpark bill` and `smartpark load-curve`: what a month's electricity costs, and how long which power is drawn.

Both only read. They ask the database that SMARTPARK_DSN names and print what the endpoints of the API answer.
"""

import argparse
from datetime import date

from smartpark.cli import Subparsers

_BILL_EPILOG = """\
The settlement month that begins in MONTH, by the contract in the catalogue and its price plan. Prices that the plan
has not are given here; there is no default, and a term that is not known makes the total not known. With capacity and
both prices it says what each way of charging would have cost over the last twelve months. It is a statement for
understanding, not the utility's bill. Method and worked figures: docs/methods/electricity-bill.md.

  smartpark bill minhou-demo 2026-11 --flat-price 0.6 --fund-price 0.03 --demand-price 40 --capacity-kva 12500
  smartpark bill minhou-demo 2026-10 --enterprise T02 --zh
  smartpark bill minhou-demo 2026-11 --contract HT-2026 --json
"""
_CURVE_EPILOG = """\
PERIOD is a day 2026-11-22, a month 2026-11 or a year 2026. Quarter-hours in descending order, in steps of equal time;
the steps hold the energy of what is known exactly. Method: docs/methods/load-statistics.md.

  smartpark load-curve minhou-demo 2026-11
  smartpark load-curve minhou-demo 2026-11 --boundary enterprise/T01 --steps 20
  smartpark load-curve minhou-demo 2026-11-22 --boundary device/M0 --zh
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark bill`` and ``smartpark load-curve``."""
    _register_bill(subparsers)
    _register_curve(subparsers)


def _register_bill(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "bill",
        help="a month's electricity, term by term, and which way of charging would have been cheapest",
        description="State what a month's electricity costs, in terms that add up. 电费构成",
        epilog=_BILL_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("park", help="code of the park")
    parser.add_argument("month", metavar="MONTH", help="2026-11")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--enterprise", metavar="CODE", help="of this enterprise's contract (default: the park's)")
    whose.add_argument("--contract", metavar="CODE", help="of this contract")
    for name, unit, said in (
        ("flat", "yuan/kWh", "flat price of the month 平段电价"),
        ("fund", "yuan/kWh", "government funds 政府性基金及附加"),
        ("demand", "yuan/(kW month)", "basic charge by demand 需量电价"),
        ("capacity", "yuan/(kVA month)", "basic charge by capacity 容量电价"),
    ):
        parser.add_argument(f"--{name}-price", type=float, metavar="YUAN", help=f"{said} [{unit}]")
    parser.add_argument("--capacity-kva", type=float, metavar="KVA", help="transformers and high-voltage motors")
    _common(parser)
    parser.set_defaults(run=_bill)


def _register_curve(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "load-curve",
        help="load duration curve of a park, enterprise or meter",
        description="How long which power is drawn: the load duration curve of a period. 负荷持续曲线",
        epilog=_CURVE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("park", help="code of the park")
    parser.add_argument("period", metavar="PERIOD", help="day, month or year")
    parser.add_argument("--boundary", default="park", help="park (default), enterprise/CODE, device/CODE …")
    parser.add_argument("--steps", type=int, default=10, choices=range(1, 1001), metavar="N", help="1 to 1000 (10)")
    _common(parser)
    parser.set_defaults(run=_curve)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--zh", action="store_true", help="in Chinese 用中文")
    parser.add_argument("--json", action="store_true", help="print what the API answers")


def _bill(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.electricity.advice import Prices
    from smartpark_api.electricity.asking import month_of
    from smartpark_api.electricity.billing import state_bill
    from smartpark_api.electricity.models import bill_out
    from smartpark_api.electricity.text import BillText

    month: date = month_of(arguments.month)
    prices = Prices(
        arguments.flat_price,
        arguments.fund_price,
        arguments.demand_price,
        arguments.capacity_price,
        arguments.capacity_kva,
    )
    with connect(dsn_from_environment(), application="smartpark bill") as connection, transaction(connection):
        answer = bill_out(
            state_bill(
                connection,
                arguments.park,
                month,
                enterprise=arguments.enterprise,
                contract=arguments.contract,
                prices=prices,
            )
        )
    if arguments.json:
        print(answer.model_dump_json(indent=2, by_alias=True))
    else:
        print("\n".join(BillText(chinese=arguments.zh).bill(answer)))
    return 0


def _curve(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment, transaction

    from smartpark_api.electricity.asking import curve_period
    from smartpark_api.electricity.load_curve import curve_of
    from smartpark_api.electricity.models import curve_out
    from smartpark_api.electricity.text import BillText

    period = curve_period(arguments.period)
    with connect(dsn_from_environment(), application="smartpark load-curve") as connection, transaction(connection):
        answer = curve_out(curve_of(connection, arguments.park, arguments.boundary, period, steps=arguments.steps))
    if arguments.json:
        print(answer.model_dump_json(indent=2, by_alias=True))
    else:
        print("\n".join(BillText(chinese=arguments.zh).curve(answer)))
    return 0

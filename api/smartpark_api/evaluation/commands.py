"""`smartpark ranking` and `smartpark zerocarbon`: parks among their peers, and against the national thresholds."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.errors import SmartparkError

if TYPE_CHECKING:
    from smartpark_api.evaluation.ranking import Place, Table
    from smartpark_api.evaluation.zero_carbon import Check

_EPILOG = """\
A park is compared within its revenue class and terrain; where fewer than five parks of that group can be ranked,
within its class, and then within the province; the table says which. 100 is best. A park whose figures cover less
than 80 % of its above-scale output is shown and not ranked. Method and an example: docs/methods/peer-ranking.md.

  smartpark ranking
  smartpark ranking --year 2025 --indicator energy_per_value_added
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``smartpark ranking`` and ``smartpark zerocarbon``."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "ranking",
        help="parks among their peers: percentile, group, progress",
        description="Ranks the parks of this instance in each indicator among their peers, for a whole year.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--year", type=int, metavar="YEAR", help="calendar year (default: the last whole one)")
    parser.add_argument("--indicator", metavar="CODE", help="only this one, e.g. tax_per_mu")
    parser.add_argument("--json", action="store_true", help="one JSON object: year, tables")
    parser.set_defaults(run=_ranking)
    _register_zero_carbon(subparsers)


def _register_zero_carbon(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "zerocarbon",
        help="a park against the indicators of national zero-carbon parks",
        description="Shows a park's published year against the core indicator and the five guiding ones of national "
        "zero-carbon parks, with the gap to each threshold. Method: docs/methods/zero-carbon-park.md.",
    )
    parser.add_argument("park", help="code of the park")
    parser.add_argument("--year", type=int, metavar="YEAR", help="calendar year (default: the last whole one)")
    parser.add_argument("--zh", action="store_true", help="in Chinese 用中文")
    parser.add_argument("--json", action="store_true", help="one JSON object: park, year, checks")
    parser.set_defaults(run=_zero_carbon)


def _ranking(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment

    from smartpark_api.evaluation.ranking import rank_year

    year: int = arguments.year or utc_now().astimezone(PARK_ZONE).year - 1
    with connect(dsn_from_environment(), application="smartpark ranking") as connection:
        tables = rank_year(connection, year)
    if arguments.indicator is not None:
        known = ", ".join(dict.fromkeys(table.indicator for table in tables))
        tables = [table for table in tables if table.indicator == arguments.indicator]
        if not tables:
            raise SmartparkError(f"{arguments.indicator!r} is not compared; there are: {known}")
    if arguments.json:
        print(json.dumps({"year": year, "tables": [asdict(table) for table in tables]}, ensure_ascii=False))
    else:
        print("\n\n".join(_text(table, year) for table in tables))
    return 0


def _text(table: "Table", year: int) -> str:
    better = "higher is better" if table.higher_is_better else "lower is better"
    adjusted = ", with the mix of industries of its class" if table.is_mix_adjusted else ""
    head = f"{table.zh} {table.en} [{table.unit}], {year}, {better}{adjusted}"
    return "\n".join([head, *(_line(place) for place in table.places)])


def _line(place: "Place") -> str:
    value = "-" if place.value is None else f"{place.value:.4g}"
    if place.percentile is None:
        stands = f"not ranked: {place.not_ranked}"
        if place.value is None and place.reason:
            stands += f" ({place.reason})"
    else:
        z = "" if place.robust_z is None else f", z {place.robust_z:+.2f}"
        stands = f"{place.percentile:5.1f} of 100 among {place.group_size} ({place.level}){z}"
    moved = "" if place.progress is None else f", {place.progress:+.1%} against the year before"
    return f"  {place.park:20} {value:>10}  {stands}{moved}"


def _zero_carbon(arguments: argparse.Namespace) -> int:
    from smartpark_storage.connections import connect, dsn_from_environment
    from smartpark_storage.reads import read_parks

    from smartpark_api.evaluation.zero_carbon import check_park

    park: str = arguments.park
    year: int = arguments.year or utc_now().astimezone(PARK_ZONE).year - 1
    with connect(dsn_from_environment(), application="smartpark zerocarbon") as connection:
        known = [one.code for one in read_parks(connection)]
        if park not in known:
            raise SmartparkError(f"there is no park {park!r}; known: {', '.join(known) or 'none yet'}")
        checks = check_park(connection, park, year)
    if arguments.json:
        answer = {"park": park, "year": year, "checks": [asdict(check) for check in checks]}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join([f"{park}, {year}", *(_check_line(check, chinese=arguments.zh) for check in checks)]))
    return 0


def _check_line(check: "Check", *, chinese: bool) -> str:
    from smartpark_api.sentences import in_chinese

    value = "-" if check.value is None else f"{check.value:.4g}"
    limit = "-" if check.limit is None else f"{'<=' if check.at_most else '>='} {check.limit:g}"
    gap = "" if check.gap is None else f", {'差距' if chinese else 'gap'} {check.gap:+.4g}"
    reason = in_chinese(check.reason) if chinese else check.reason
    why = f" ({reason})" if check.gap is None and check.reason else ""
    verdict = in_chinese(check.verdict) if chinese else check.verdict
    name = check.zh if chinese else f"{check.zh} {check.en}"
    role = in_chinese(check.role) if chinese else check.role
    return f"  {role:8} {value:>8} {limit:>8} {check.unit:6} {verdict}{gap}  {name}{why}"

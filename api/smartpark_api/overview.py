"""Energy and carbon of a park at a glance: today, yesterday and the month, arranged for the page.

Rows that were published in, lines of the page out; nothing is computed but what share of its contract a demand is.
Which indicators are shown, and in which order, is said here; their names and units are those of the registry.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, Period, period_containing
from smartpark_storage.connections import Connection
from smartpark_storage.derived import WHOLE_PARK
from smartpark_storage.reads import IndicatorReadRow, ParkRow, read_overview

from smartpark_api.lookup import find_park

ENERGY: Final = (
    "electricity_consumption",
    "comprehensive_energy",
    "comprehensive_energy_primary",
    "energy_per_output",
    "energy_per_value_added",
    "green_power_share",
)
CARBON: Final = (
    "carbon_location",
    "carbon_location_national",
    "carbon_market",
    "carbon_zero_carbon_park",
    "carbon_scope1",
    "carbon_scope2",
    "carbon_per_energy",
    "carbon_per_output",
)
DEMAND: Final = ("maximum_demand", "maximum_demand_block", "load_factor")
AIR: Final = ("so2_mass", "nox_mass", "dust_mass")
STACK: Final = ("so2_in_limit", "nox_in_limit", "dust_in_limit")
AIR_INDEX: Final = "air_quality_index"
SHARES: Final = frozenset({"green_power_share", "load_factor", "contract_demand_use", *STACK})
"""Shown as percent."""
MONTHLY: Final = frozenset(
    {
        "carbon_market",
        "carbon_zero_carbon_park",
        "green_power_share",
        "energy_per_output",
        "energy_per_value_added",
        "carbon_per_output",
    }
)
"""Published for months and years, not for days."""
_ALWAYS: Final = frozenset({*ENERGY[:2], *CARBON[:4], "maximum_demand_block"})
"""Shown even where nothing is published yet, so that one sees what there will be."""
_BETTER_THAN: Final = {"maximum_demand_block": "maximum_demand"}
"""A lower bound says nothing beside the number itself."""
_INDICATORS: Final = (*ENERGY, *CARBON, *DEMAND, *AIR, *STACK, AIR_INDEX)
_AIR_INDEX_HOURS: Final = timedelta(hours=4)
_LEVEL: Final = re.compile(r"level ([1-6])\b")
_FORMS: Final = {Grain.HOUR: "%Y-%m-%dT%H", Grain.DAY: "%Y-%m-%d", Grain.MONTH: "%Y-%m", Grain.YEAR: "%Y"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A published number, or that there is none."""

    row: IndicatorReadRow | None
    is_monthly_only: bool = False
    share_of_contract: float | None = None

    @property
    def period(self) -> str:
        """Period as `smartpark explain` takes it."""
        return "" if self.row is None else period_text(self.row.start, Grain(self.row.grain))

    @property
    def air_level(self) -> int | None:
        """Level of an air quality index, 1 to 6, as it was published beside it."""
        found = None if self.row is None else _LEVEL.match(self.row.reason)
        return int(found[1]) if found else None

    @property
    def hour(self) -> str:
        """Clock time of its hour; empty for longer periods."""
        is_hour = self.row is not None and self.row.grain == Grain.HOUR.value
        return f"{self.row.start.astimezone(PARK_ZONE):%H:00}" if self.row is not None and is_hour else ""


@dataclass(frozen=True, slots=True)
class Line:
    """An indicator of the park or of a device, one cell per column."""

    indicator: str
    boundary: str
    cells: tuple[Cell, ...]

    @property
    def device(self) -> str:
        """Code of its device; empty for the park."""
        return self.boundary.partition("/")[2]

    @property
    def unit(self) -> str:
        """Unit as the page shows it."""
        return unit_of(self.indicator)


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together, under a heading of the page's words."""

    key: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the section of the page shows."""

    park: str
    as_of: datetime
    columns: tuple[str, ...]
    """Days and month, as `smartpark explain` takes them."""
    completeness: tuple[float | None, ...]
    """Of each column's comprehensive energy. [0-1]"""
    groups: tuple[Group, ...]


def unit_of(indicator: str) -> str:
    """Unit as a page shows it: a share in percent, a tonne with what it is a tonne of.

    >>> unit_of("carbon_location"), unit_of("load_factor"), unit_of("air_quality_index")
    ('tCO₂', '%', '')
    """
    if indicator in SHARES:
        return "%"
    unit = INDICATORS[indicator].unit
    is_carbon = indicator.startswith("carbon_") and (unit == "t" or unit.startswith("t/"))
    return unit.replace("t", "tCO₂", 1) if is_carbon else "" if unit == "1" else unit


def period_text(start: datetime, grain: Grain) -> str:
    """A period as `smartpark explain` takes it.

    >>> from datetime import UTC
    >>> period_text(datetime(2026, 11, 21, 16, tzinfo=UTC), Grain.DAY)
    '2026-11-22'
    """
    return start.astimezone(PARK_ZONE).strftime(_FORMS[grain])


def take_overview(connection: Connection, code: str, *, now: datetime) -> Overview:
    """Read what is published of today, yesterday and the month."""
    park = find_park(connection, code)
    today = period_containing(now, Grain.DAY)
    periods = (today, period_containing(today.start - timedelta(hours=1), Grain.DAY), _month(now))
    read = [read_overview(connection, code, _INDICATORS, p.start, p.end, grain=p.grain.value) for p in periods]
    hours = read_overview(connection, code, [AIR_INDEX], now - _AIR_INDEX_HOURS, now, grain=Grain.HOUR.value)
    return arrange(park, periods, read, hours, now=now)


def _month(now: datetime) -> Period:
    return period_containing(now, Grain.MONTH)


def arrange(
    park: ParkRow,
    periods: Sequence[Period],
    read: Sequence[Sequence[IndicatorReadRow]],
    hours: Sequence[IndicatorReadRow],
    *,
    now: datetime,
) -> Overview:
    """Arrange what is published of each column's period; `hours` are the newest hourly indices of air."""
    columns = [{(row.boundary, row.indicator): row for row in rows} for rows in read]
    stacks = _boundaries(columns, STACK)
    stations = sorted({*_boundaries(columns, (AIR_INDEX,)), *(row.boundary for row in hours)})
    groups = (
        Group("energy", _lines(columns, park, ENERGY)),
        Group("carbon", _lines(columns, park, CARBON)),
        Group("demand", _lines(columns, park, DEMAND)),
        Group(
            "air",
            (
                *_lines(columns, park, AIR),
                *(line for stack in stacks for line in _lines(columns, park, STACK, boundary=stack)),
                *(_air_line(columns, hours, station) for station in stations),
            ),
        ),
    )
    return Overview(
        park=park.code,
        as_of=now,
        columns=tuple(period_text(period.start, period.grain) for period in periods),
        completeness=tuple(_completeness(column) for column in columns),
        groups=tuple(group for group in groups if group.lines),
    )


_Column = Mapping[tuple[str, str], IndicatorReadRow]


def _boundaries(columns: Iterable[_Column], indicators: Sequence[str]) -> list[str]:
    return sorted({boundary for column in columns for boundary, indicator in column if indicator in indicators})


def _completeness(column: _Column) -> float | None:
    row = column.get((WHOLE_PARK, "comprehensive_energy"))
    return None if row is None else row.completeness


def _lines(
    columns: Sequence[_Column], park: ParkRow, indicators: Sequence[str], *, boundary: str = WHOLE_PARK
) -> tuple[Line, ...]:
    there = {one for one in indicators if any((boundary, one) in column for column in columns)}
    wanted = [one for one in indicators if one in there or (one in _ALWAYS and boundary == WHOLE_PARK)]
    shown = [one for one in wanted if _BETTER_THAN.get(one) not in there]
    return tuple(
        Line(one, boundary, tuple(_cell(column.get((boundary, one)), one, park) for column in columns))
        for one in shown
    )


def _cell(row: IndicatorReadRow | None, indicator: str, park: ParkRow) -> Cell:
    if row is None:
        return Cell(None, is_monthly_only=indicator in MONTHLY)
    contract = park.contract_demand_kw
    is_demand = indicator in {"maximum_demand", "maximum_demand_block"} and row.value is not None and contract
    return Cell(row, share_of_contract=row.value / contract if is_demand and contract and row.value else None)


def _air_line(columns: Sequence[_Column], hours: Sequence[IndicatorReadRow], station: str) -> Line:
    """Index of a station: the newest hour where the running day has none yet, for it needs nearly all its hours."""
    cells = [Cell(column.get((station, AIR_INDEX))) for column in columns]
    newest = [row for row in hours if row.boundary == station and row.value is not None]
    if newest and (cells[0].row is None or cells[0].row.value is None):
        cells[0] = Cell(newest[-1])
    return Line(AIR_INDEX, station, tuple(cells))

"""A park that publishes every number that does not come from gauges: all carriers, figures, budgets, certificates.

Two days are derived from readings; the other days of their month, and the other months of the year, are published
as copies, so that month and year are whole without a year of readings.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from accounting_park import LOADS, accounting_document
from derive_park import DAY, HOUR, MIDNIGHT, MINUTE, DerivePark, device
from smartpark.business_figures import FIGURES, BusinessFigure, FigureKind
from smartpark.clock import from_us, to_us
from smartpark.factors import Factor, FactorKind
from smartpark.measurands import Carrier
from smartpark.periods import Grain, period_containing
from smartpark_ingest.derive import Deriver
from smartpark_ingest.derive_figures import RatioDeriver
from smartpark_ingest.derive_publish import PUBLISHED
from smartpark_storage import IndicatorRow, load_factor_set, load_factors, publish_indicators, transaction
from smartpark_storage.figures import record_figures

NOW: Final = to_us(datetime(2027, 1, 5, tzinfo=UTC))
MORE: Final = {
    "H0/heat_energy": 3.0,
    "H1/heat_energy": 1.5,
    "ST0/steam_mass": 2.0,
    "ST1/steam_mass": 1.25,
    "K0/fuel_mass": 60.5,
    "K1/fuel_mass": 0.375,
    "W2/water_volume": 4.0,
    "K2/fuel_mass": 0.25,
}
"""Steady loads beside those of `accounting_park`. [unit/h]"""
YEAR: Final = 2026


def explained_document() -> dict[str, Any]:
    """The park of `accounting_park` with parents and children of every carrier."""
    document = accounting_document()
    for enterprise, is_above in zip(document["enterprise"], (True, True, False), strict=True):
        enterprise |= {"is_above_scale": is_above, "area_mu": 20.0}
    e3 = {"enterprise": "E3"}
    document["device"] += [
        device("H0", "heat", "boundary", "heat_energy"),
        device("H1", "heat", "consumption", "heat_energy", parent="H0", enterprise="E2"),
        device("ST0", "steam", "boundary", "steam_mass"),
        device("ST1", "steam", "consumption", "steam_mass", parent="ST0", **e3),
        device("K0", "diesel", "boundary", "fuel_mass", furnace="oil_boiler"),
        device("K1", "diesel", "consumption", "fuel_mass", parent="K0", furnace="oil_boiler", **e3),
        device("K2", "diesel", "consumption", "fuel_mass", parent="K0", furnace="oil_boiler", enterprise="E1"),
        device("W2", "water", "consumption", "water_volume", parent="W1", **e3),
    ]
    return document


def load(hill: DerivePark) -> None:
    """Load the catalogue, and the factor that the one who keeps the park has to enter."""
    hill.load(explained_document())
    primary = {
        "id": "bulletin:coal_equivalent_primary:electricity:2024",
        "kind": FactorKind.COAL_EQUIVALENT_PRIMARY,
        "carrier": Carrier.ELECTRICITY,
        "scope": "national",
        "value": 0.285,
        "unit": "kgce/kWh",
        "data_year": 2024,
        "valid_from": date(2025, 1, 1),
        "source": "bulletin",
        "grade": "S",
    }
    load_factors(hill.connection, [Factor.model_validate(primary)], origin="test", loaded_by="test")
    hill.connection.commit()
    hill.deriver = Deriver(load_factor_set(hill.connection))


def feed(hill: DerivePark, start: int, end: int) -> None:
    """Readings of [start, end] that no two quarter-hours have the same of."""
    loads = LOADS | MORE

    def register(key: str, time: int) -> int:
        hours = (time - MIDNIGHT + 2 * DAY) / HOUR
        # Not steady: sums of different quarter-hours round.
        return round(100_000 + 100 * loads[key] * (hours + 0.001 * hours**2))

    hill.feed(start, end, every=15 * MINUTE, keys=list(loads), register=register)


def current_rows(hill: DerivePark, *, grain: str, start: int) -> list[IndicatorRow]:
    """Current sums of one period."""
    columns = (
        "park, indicator, grain, start, value, numerator, denominator, unit, completeness, estimated_share,"
        " method, factor_set, factors, reason, boundary, uncertainty"
    )
    with transaction(hill.connection):
        found = hill.connection.execute(
            f"SELECT {columns} FROM smartpark.indicator"  # noqa: S608  names of columns
            " WHERE superseded_at IS NULL AND grain = %s AND start = %s AND indicator = ANY(%s)",
            (grain, from_us(start), list(PUBLISHED)),
        ).fetchall()
    return [
        IndicatorRow(*row[:3], to_us(row[3]), *row[4:12], tuple(row[12]), row[13], NOW, row[14], row[15])
        for row in found
    ]


def copies(rows: Iterable[IndicatorRow], starts: Iterable[int]) -> list[IndicatorRow]:
    """The same numbers for other periods, each a little larger."""
    given = list(rows)
    return [
        replace(row, start_us=start, **{k: _grown(getattr(row, k), n) for k in ("value", "numerator", "denominator")})
        for n, start in enumerate(starts)
        for row in given
    ]


def _grown(value: float | None, n: int) -> float | None:
    return None if value is None else value * (1.0 + n / 700)


def fill(hill: DerivePark) -> None:
    """Publish the days and months that were not derived, then have month and year added up."""
    days = [MIDNIGHT + n * DAY for n in range(-9, 21) if n not in {0, 1}]
    publish_indicators(hill.connection, copies(current_rows(hill, grain="day", start=MIDNIGHT), days))
    feed(hill, MIDNIGHT + 2 * DAY - 2 * HOUR, MIDNIGHT + 2 * DAY - HOUR)
    hill.derive(now=NOW)
    month = period_containing(from_us(MIDNIGHT), Grain.MONTH)
    rows = current_rows(hill, grain="month", start=to_us(month.start))
    months = [first for year in (YEAR - 1, YEAR) for first in months_us(year) if first != to_us(month.start)]
    publish_indicators(hill.connection, copies(rows, months))
    feed(hill, MIDNIGHT + 2 * DAY - HOUR, MIDNIGHT + 2 * DAY)
    hill.derive(now=NOW)


def months_us(year: int) -> list[int]:
    """Starts of the months of a year."""
    return [to_us(datetime(year, m, 1, tzinfo=UTC)) - 8 * HOUR for m in range(1, 13)]


def figure(kind: FigureKind, value: float, period: str, entity: str, basis: str) -> BusinessFigure:
    product = {"product": "steel", "unit": "t"} if kind is FigureKind.PRODUCT_OUTPUT else {}
    return BusinessFigure.model_validate(
        {
            "park": "hill",
            "entity": entity,
            "kind": kind.value,
            "period": period,
            "value": value,
            "price_basis": basis,
            "source_document": f"return of {period}",
            "entered_by": "Chen",
            "is_estimated": period == "2026-12",
            **product,
        }
    )


PERIODS: Final = ("2025", *(f"2025-{m:02}" for m in range(1, 13)), "2026Q1", "2026Q2", "2026Q3")
MONTHS: Final = ("2026-10", "2026-11", "2026-12")
_PARTS_OF: Final = {
    FigureKind.SOLID_WASTE_USED,
    FigureKind.WASTE_HEAT_USED,
    FigureKind.WATER_REUSED,
    FigureKind.QUOTA_PRODUCTS_LEVEL_2,
    FigureKind.CLEAN_ENERGY,
    FigureKind.DIRECT_GREEN,
    FigureKind.GREEN_TRADE,
    FigureKind.GEC,
    FigureKind.GEC_SOLD,
    FigureKind.PROCESS_CARBON,
}
"""Small, so that no share is more than the whole."""


def figures(entity: str) -> Iterable[BusinessFigure]:
    """Everything that may be entered of an entity."""
    for place, (kind, meaning) in enumerate(FIGURES.items()):
        if kind is FigureKind.PRODUCT_OUTPUT and not entity.startswith("enterprise/"):
            continue
        value = 3.7 + place / 7 if kind in _PARTS_OF else 1234.5 + place * 11.3
        bases = ("current", "constant-2025") if meaning.priced else ("",)
        periods = ("2026",) if meaning.yearly else ("2025",) if meaning.is_level else (*PERIODS, *MONTHS)
        for basis in bases:
            for n, period in enumerate(periods):
                if kind is FigureKind.ENERGY_BUDGET and entity != "park":
                    continue  # theirs follows from a target
                yield figure(kind, _sized(kind, value) + n / 13, period, entity, basis)


def _sized(kind: FigureKind, value: float) -> float:
    return value / 1000 if kind in {FigureKind.ENERGY_TARGET, FigureKind.CARBON_TARGET} else value


def enter(hill: DerivePark) -> None:
    """Record figures of the park, a sub-park and its enterprises, and publish what follows."""
    entities = ("park", "sub_park/south", "enterprise/E1", "enterprise/E2", "enterprise/E3")
    given = [one for entity in entities for one in figures(entity)]
    record_figures(hill.connection, given, at=from_us(NOW))
    while RatioDeriver().step(hill.connection, now_us=NOW).indicators_published:
        pass


def explained_park(hill: DerivePark) -> DerivePark:
    """The park, derived and filled."""
    load(hill)
    feed(hill, MIDNIGHT, MIDNIGHT + 2 * DAY - 2 * HOUR)
    hill.derive(now=NOW)
    fill(hill)
    enter(hill)
    return hill

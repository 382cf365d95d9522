"""What is known of a park's periods: business figures by entity, kind and period, and published numbers beside them.

A question is answered with a quantity and why it is what it is. A month of which only the quarter is known gets its
share by days and is estimated; a year is its four quarters or twelve months when nobody entered it as a whole, and
unknown when one is missing. A level (land, floor area) holds until a newer one. Nothing is divided here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from math import floor, nan
from typing import Final

from smartpark.business_figures import CURRENT_PRICES, FIGURES, FigureGrain, FigureKind, FigurePeriod
from smartpark.clock import PARK_ZONE, to_us
from smartpark.green_claims import claim_of
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain

from smartpark_analytics.ratios.quantity import Quantity, added_up, not_known
from smartpark_analytics.ratios.rows import Entity, Figure, Number

Key = tuple[str, str, str, str]
"""Entity, kind, product, price basis."""

NOTHING_ENTERED: Final = "nothing entered: none counts"
GRAINS: Final[dict[FigureGrain, Grain]] = {FigureGrain.MONTH: Grain.MONTH, FigureGrain.YEAR: Grain.YEAR}


def in_percent(completeness: float) -> float:
    """Completeness in whole percent, rounded down: what is withheld for it is not published anew every hour."""
    return floor(completeness * 100.0) / 100.0


def month_of(day: date) -> FigurePeriod:
    """Month that begins on a day."""
    return FigurePeriod(day, FigureGrain.MONTH)


def year_of(year: int) -> FigurePeriod:
    """Calendar year."""
    return FigurePeriod(date(year, 1, 1), FigureGrain.YEAR)


def months_of_year(year: int) -> list[FigurePeriod]:
    """Its twelve months."""
    return [month_of(first) for first in year_of(year).months]


@cache
def start_us(period: FigurePeriod) -> int:
    """Microsecond at which a period begins in the park's zone."""
    return to_us(datetime.combine(period.first, datetime.min.time(), tzinfo=PARK_ZONE))


@cache
def days_of(period: FigurePeriod) -> int:
    """Days that a period has."""
    return sum((_next_month(month) - month).days for month in period.months)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _quarter_of(period: FigurePeriod) -> FigurePeriod:
    return FigurePeriod(period.first.replace(month=(period.first.month - 1) // 3 * 3 + 1), FigureGrain.QUARTER)


class Book:
    """Everything that is known of one park in the years at hand."""

    def __init__(self, figures: Iterable[Figure], published: Iterable[Number], entities: Sequence[Entity]) -> None:
        self.entities = {entity.entity: entity for entity in entities}
        self._figures: defaultdict[Key, dict[FigurePeriod, Figure]] = defaultdict(dict)
        self._reported = set[tuple[str, str, str, int]]()
        for row in figures:
            self._figures[row.entity, row.kind, row.product, row.price_basis][row.period] = row
            self._reported.add((row.entity, row.kind, row.price_basis, row.first_day.year))
        self._kinds = {kind for _, kind, _, _ in self._reported}
        self._level_since: dict[tuple[str, str], int] = {}
        for entity, kind, _, year in self._reported:
            known = self._level_since.get((entity, kind), year)
            self._level_since[entity, kind] = min(known, year)
        self._bases = {basis for _, _, basis, _ in self._reported}
        self._made: defaultdict[str, list[tuple[str, dict[FigurePeriod, Figure]]]] = defaultdict(list)
        for (entity, kind, product, _), periods in self._figures.items():
            if kind == FigureKind.PRODUCT_OUTPUT:
                self._made[entity].append((product, periods))
        # A year is asked for by each of its ratios, of the whole and of each part.
        self._asked: dict[tuple[Key, FigurePeriod], Quantity] = {}
        self._members: dict[str, list[str]] = {}
        self._published = {(row.boundary, row.indicator, row.grain, row.start_us): row for row in published}
        self._codes = {indicator for _, indicator, _, _ in self._published}

    def members(self, entity: str) -> list[str]:
        """Enterprises of a park or a sub-park; none of an enterprise."""
        if entity not in self._members:
            self._members[entity] = [
                name
                for name, one in self.entities.items()
                if one.is_above_scale is not None and entity in {"park", one.sub_park}
            ]
        return self._members[entity]

    def row(self, entity: str, indicator: str, period: FigurePeriod) -> Number | None:
        """Current row of a published number."""
        return self._published.get((entity, indicator, GRAINS[period.grain].value, start_us(period)))

    def published(
        self, entity: str, indicator: str, period: FigurePeriod, *, min_completeness: float = 0.0
    ) -> Quantity:
        """A published number; one that is less complete than asked for describes less time than its period."""
        row = self.row(entity, indicator, period)
        unit = INDICATORS[indicator].unit
        found = Quantity(nan, name=indicator, entity=entity, unit=unit, number=row)
        if row is None or row.value is None:
            return replace(
                found,
                why=f"{indicator} of {period} is not known",
                completeness=0.0 if row is None else row.completeness,
            )
        if row.completeness < min_completeness:
            return replace(
                found,
                why=f"{indicator} of {period} is less than {min_completeness:.0%} complete",
                completeness=in_percent(row.completeness),
            )
        # Neighbouring numbers are stored in single precision.
        share = min(max(row.estimated_share, 0.0), 1.0)
        return replace(
            found,
            value=row.value,
            completeness=row.completeness,
            estimated_share=share,
            factor_set=row.factor_set,
            factors=tuple(row.factors),
        )

    def figure(
        self, entity: str, kind: FigureKind, period: FigurePeriod, *, basis: str = "", product: str = ""
    ) -> Quantity:
        """An entered figure for a month or a year."""
        key = (entity, kind.value, product, basis)
        found = self._asked.get((key, period))
        if found is None:
            known = self._figures.get(key, {})
            found = replace((_level if FIGURES[kind].is_level else _flow)(known, kind, period), entity=entity)
            self._asked[key, period] = found
        return found

    def claim(self, entity: str, kind: FigureKind, period: FigurePeriod) -> Quantity:
        """Green electricity claimed for a month or a year; what nobody entered is zero."""
        rows = self._figures.get((entity, kind.value, "", ""), {})
        known = {one: row.value for one, row in rows.items() if row.value is not None}
        found = claim_of(known, period)
        if not found.is_entered:
            return Quantity(0.0, name=kind.value, entity=entity, unit="MWh", note=NOTHING_ENTERED)
        parts = [replace(_entered(rows[part]), entity=entity) for part in found.parts]
        if found.is_share:
            (quarter,) = parts
            return replace(_share(quarter, period, found.parts[0]), value=found.mwh, why="")
        if found.parts == (period,):
            return parts[0]
        return replace(added_up(parts, parts[0]), value=found.mwh)

    def land(self, entity: str, period: FigurePeriod) -> Quantity:
        """Industrial land in mu: as entered, else as the catalogue has it."""
        entered = self.figure(entity, FigureKind.INDUSTRIAL_LAND, period)
        area = self.entities[entity].area_mu if entity in self.entities else None
        if entered.is_known or area is None:
            return entered
        return Quantity(
            area,
            "land as in the catalogue",
            name=FigureKind.INDUSTRIAL_LAND.value,
            entity=entity,
            unit=FIGURES[FigureKind.INDUSTRIAL_LAND].unit,
        )

    def is_reported(self, entity: str, kind: FigureKind, year: int, *, basis: str = "") -> bool:
        """Whether anybody reports this kind of figure in that year, so that a missing one is missed."""
        if FIGURES[kind].is_level:
            return self._level_since.get((entity, kind.value), year + 1) <= year
        return (entity, kind.value, basis, year) in self._reported

    def may_have(self, indicator: str, kinds: Iterable[FigureKind]) -> bool:
        """Whether a ratio can be asked for at all: somebody reports one of its figures, or it was published once."""
        return indicator in self._codes or any(kind in self._kinds for kind in kinds)

    def constant_basis(self, entity: str, kind: FigureKind, year: int) -> str | None:
        """Newest base year of constant prices in which an entity or its enterprises report; None: none."""
        bases = sorted((basis for basis in self._bases if basis not in {"", CURRENT_PRICES}), reverse=True)
        whose = [entity, *self.members(entity)]
        return next((b for b in bases if any(self.is_reported(one, kind, year, basis=b) for one in whose)), None)

    def products(self, entity: str, period: FigurePeriod) -> list[tuple[str, str]]:
        """(Product, unit) of an enterprise in a period."""
        return sorted(
            {
                (product, row.unit)
                for product, periods in self._made.get(entity, ())
                for known, row in periods.items()
                if set(known.months) & set(period.months)
            }
        )


def _flow(known: Mapping[FigurePeriod, Figure], kind: FigureKind, period: FigurePeriod) -> Quantity:
    row = known.get(period)
    if row is not None and row.value is not None:
        return _entered(row)
    if period.grain is FigureGrain.MONTH:
        return _share_of_quarter(known, kind, period)
    parts = [_part(known, kind, quarter) for quarter in _quarters(period)]
    missing = [part.why for part in parts if not part.is_known]
    if missing:
        all_missing = len(missing) == len(parts)
        why = f"{kind} of {period} is not entered" if all_missing else "; ".join(missing)
        return not_known(why, name=kind.value)
    return added_up(parts, parts[0])


@cache
def _quarters(year: FigurePeriod) -> tuple[FigurePeriod, ...]:
    return tuple(FigurePeriod(year.first.replace(month=m), FigureGrain.QUARTER) for m in (1, 4, 7, 10))


@cache
def _months(period: FigurePeriod) -> tuple[FigurePeriod, ...]:
    return tuple(month_of(first) for first in period.months)


def _part(known: Mapping[FigurePeriod, Figure], kind: FigureKind, quarter: FigurePeriod) -> Quantity:
    """A quarter as entered, else its months."""
    row = known.get(quarter)
    if row is not None and row.value is not None:
        return _entered(row)
    rows = [row for month in _months(quarter) if (row := known.get(month)) is not None and row.value is not None]
    if len(rows) < len(_months(quarter)):
        return not_known(f"{kind} of {quarter} is not entered", name=kind.value)
    parts = [_entered(row) for row in rows]
    return added_up(parts, parts[0])


def _entered(row: Figure) -> Quantity:
    """A figure as it stands on record."""
    return Quantity(
        nan if row.value is None else row.value,
        estimated_share=float(row.is_estimated),
        source=_source(row),
        name=row.kind,
        unit=row.unit,
        figure=row,
    )


def _source(row: Figure) -> str:
    """What a figure was taken from, and by whom."""
    return f"{row.kind} {row.period}: {row.source_document} ({row.entered_by}, revision {row.revision})"


def _share_of_quarter(known: Mapping[FigurePeriod, Figure], kind: FigureKind, month: FigurePeriod) -> Quantity:
    quarter = _quarter_of(month)
    row = known.get(quarter)
    if row is None or row.value is None:
        return not_known(f"{kind} of {month} is not entered", name=kind.value)
    return _share(_entered(row), month, quarter)


def _share(whole: Quantity, month: FigurePeriod, quarter: FigurePeriod) -> Quantity:
    """A month's share of its quarter, by days: an estimate."""
    days, of = days_of(month), days_of(quarter)
    return replace(
        whole,
        value=whole.value * days / of,
        why=f"{whole.name} is a share of {quarter} by days",
        estimated_share=1.0,
        formula=f"{whole.value!r} x {days} / {of}",
        figure=None,
        parts=(whole,),
    )


def _level(known: Mapping[FigurePeriod, Figure], kind: FigureKind, period: FigurePeriod) -> Quantity:
    """Newest level that was entered for a time before the period's end; of one day the shortest period."""
    usable = [p for p, row in known.items() if row.value is not None and p.first <= period.months[-1]]
    if not usable:
        return not_known(f"{kind} of {period} is not entered", name=kind.value)
    newest = max(usable, key=lambda p: (p.first, -len(p.months)))
    why = "" if set(newest.months) & set(period.months) else f"{kind} as of {newest}"
    return replace(_entered(known[newest]), why=why)

"""Ratios of entities and periods: both sides over the same enterprises and the same time, or a reason.

A park whose own figure is entered divides what its boundary measures by it. Where only its enterprises report, their
own energy is divided by their own figures, summed first; an enterprise that stands on one side only leaves the park
without a ratio, and the reason names it. All entities and periods of a ratio are divided in one call.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isnan

import numpy as np
from smartpark.business_figures import CURRENT_PRICES, FIGURES, FigureKind, FigurePeriod
from smartpark.coefficients import Coefficient, Lookup
from smartpark.errors import FactorNotFoundError
from smartpark.factors import FactorChoice, FactorSet
from smartpark.green_claims import CLAIMED, GIVEN_AWAY
from smartpark.indicators import INDICATORS
from smartpark.measurands import Carrier

from smartpark_analytics.intensity import NoRatio, Ratios, green_power_share, ratio_of_sums, share
from smartpark_analytics.ratios.book import GRAINS, Book, start_us
from smartpark_analytics.ratios.quantity import Quantity, not_known
from smartpark_analytics.ratios.rows import Basis, RatioRow
from smartpark_analytics.ratios.specs import CONSTANT, SPECS, Entered, Land, Published, RatioSpec, Side, priced

KG_PER_TONNE = 1000.0
KWH_PER_MWH = 1000.0


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose ratios, by which rules, when."""

    park: str
    book: Book
    factors: FactorSet
    min_completeness: float
    """Of what is divided by a figure. [0-1]"""
    now_us: int
    """Months that end later have not ended. [µs]"""
    _coefficients: dict[FigurePeriod, Coefficient] = field(default_factory=dict[FigurePeriod, Coefficient])

    def coal_equivalent(self, period: FigurePeriod) -> Coefficient:
        """Standard coal per kWh of electricity on the period's first day."""
        if period not in self._coefficients:
            lookup = Lookup(self.factors, period.first, park=self.park)
            self._coefficients[period] = lookup.coal_equivalent(Carrier.ELECTRICITY)
        return self._coefficients[period]


@dataclass(frozen=True, slots=True)
class Cell:
    """One entity and period, with both sides of each member that counts."""

    entity: str
    period: FigurePeriod
    members: tuple[str, ...]
    numerators: tuple[Quantity, ...]
    denominators: tuple[Quantity, ...]
    note: str = ""
    formula: str = "numerator / denominator"
    shown: tuple[Quantity, ...] = ()
    """Summands of the numerator, where it is not the plain sum of `numerators`."""
    choices: tuple[FactorChoice, ...] = ()
    """Factors that its own formula uses."""

    def basis(self) -> Basis:
        """What its row is made of; a member that is known on neither side counts on neither."""
        both = list(zip(self.numerators, self.denominators, strict=False))
        above = self.shown or tuple(n for n, d in both if len(both) == 1 or n.is_known or d.is_known)
        below = tuple(d for n, d in both if len(both) == 1 or n.is_known or d.is_known)
        return Basis(self.formula, above, below, choices=self.choices)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Of both sides."""
        return (*self.numerators, *self.denominators)


def ratio_rows(subject: Subject, periods: Sequence[FigurePeriod]) -> Iterator[RatioRow]:
    """Rows of every ratio for these periods, of the park and all its parts."""
    for spec in SPECS:
        for is_constant in (False, True) if priced(spec) else (False,):
            code = spec.indicator + CONSTANT * is_constant
            if spec.kinds and not subject.book.may_have(code, spec.kinds):
                continue
            cells = [
                cell
                for entity in subject.book.entities
                for period in periods
                if (cell := _cell(subject, spec, code, entity, period, is_constant=is_constant)) is not None
            ]
            yield from _rows(code, cells, is_share=spec.is_share)
    for code, make, is_share in (
        ("output_coverage", _coverage, True),
        ("electrification_rate", _electrification, True),
        ("energy_per_product", _per_product, False),
        ("carbon_per_energy_zero_carbon", _zero_carbon, False),
    ):
        found = (make(subject, entity, period) for entity in subject.book.entities for period in periods)
        yield from _rows(code, [cell for cell in found if cell is not None], is_share=is_share)
    yield from _green_rows(subject, periods)


def _cell(
    subject: Subject, spec: RatioSpec, code: str, entity: str, period: FigurePeriod, *, is_constant: bool
) -> Cell | None:
    """Both sides of a ratio; None where nobody asks for it."""
    book, year = subject.book, period.first.year
    basis_of: dict[FigureKind, str] = {}
    for kind in spec.kinds:
        basis = ""
        if FIGURES[kind].priced:
            basis = CURRENT_PRICES if not is_constant else book.constant_basis(entity, kind, year) or "constant"
        basis_of[kind] = basis
    whose = _whose(subject, spec, code, entity, period, basis_of=basis_of)
    if whose is None:
        return None
    sides = _sides(subject, spec, whose, period, basis_of)
    bases = sorted({basis for basis in basis_of.values() if basis})
    note = f"{_name(spec.numerator)} / {_name(spec.denominator)}"
    return Cell(entity, period, *sides, "; ".join([note, *(f"{basis} prices" for basis in bases)]))


def _name(side: Side) -> str:
    match side:
        case Published(indicator):
            return indicator
        case Entered(kind):
            return kind.value
        case Land():
            return "industrial_land"


def _whose(
    subject: Subject,
    spec: RatioSpec,
    code: str,
    entity: str,
    period: FigurePeriod,
    *,
    basis_of: dict[FigureKind, str],
) -> list[str] | None:
    """Whose numbers a ratio is formed from: the entity's own, or its enterprises'; None where nobody asks for it."""
    book, year = subject.book, period.first.year

    def report(one: str) -> list[bool]:
        return [book.is_reported(one, kind, year, basis=basis) for kind, basis in basis_of.items()]

    if not spec.kinds:
        is_asked_for = _is_asked_for(subject, spec, entity, period)
        return [entity] if is_asked_for or book.row(entity, code, period) is not None else None
    own = report(entity)
    if all(own):
        return [entity]
    members = book.members(entity)
    if any(any(report(member)) for member in members):
        return members
    # Where nobody reports, what was published once is taken back, not left standing.
    return [entity] if any(own) or book.row(entity, code, period) is not None else None


def _is_asked_for(subject: Subject, spec: RatioSpec, entity: str, period: FigurePeriod) -> bool:
    """Whether a ratio that needs no figure means anything: its numbers are published, its land is known."""
    numbers = (subject.book.row(entity, name, period) is not None for name in spec.inputs)
    return all(numbers) and subject.book.land(entity, period).is_known


Sides = tuple[tuple[str, ...], tuple[Quantity, ...], tuple[Quantity, ...]]


def _sides(
    subject: Subject, spec: RatioSpec, members: Sequence[str], period: FigurePeriod, basis_of: dict[FigureKind, str]
) -> Sides:
    def of(side: Side, member: str) -> Quantity:
        match side:
            case Published(indicator):
                return subject.book.published(member, indicator, period, min_completeness=subject.min_completeness)
            case Entered(kind):
                return subject.book.figure(member, kind, period, basis=basis_of[kind])
            case Land(factor):
                land = subject.book.land(member, period)
                return land if factor == 1.0 else _times(land, factor, "m2")

    return (
        tuple(members),
        tuple(of(spec.numerator, member) for member in members),
        tuple(of(spec.denominator, member) for member in members),
    )


def _coverage(subject: Subject, entity: str, period: FigurePeriod) -> Cell | None:
    """Output of above-scale firms whose energy is measured, of that of all above-scale firms."""
    book = subject.book
    firms = [one for one in book.members(entity) if book.entities[one].is_above_scale]
    year = period.first.year
    if not firms or not any(book.is_reported(one, FigureKind.OUTPUT, year, basis=CURRENT_PRICES) for one in firms):
        return None
    outputs = tuple(book.figure(one, FigureKind.OUTPUT, period, basis=CURRENT_PRICES) for one in firms)
    missing = [f"{one}: {output.why}" for one, output in zip(firms, outputs, strict=True) if not output.is_known]
    if missing:
        unknown = not_known("; ".join(missing), name=FigureKind.OUTPUT.value, entity=entity)
        return Cell(entity, period, (entity,), (unknown,), (unknown,))
    metered = [
        book.published(one, "comprehensive_energy", period, min_completeness=subject.min_completeness).is_known
        for one in firms
    ]
    counted = tuple(
        output if is_metered else _not_counted(output) for output, is_metered in zip(outputs, metered, strict=True)
    )
    return Cell(entity, period, tuple(firms), counted, outputs)


def _electrification(subject: Subject, entity: str, period: FigurePeriod) -> Cell | None:
    electricity = subject.book.published(entity, "electricity_consumption", period)
    energy = subject.book.published(entity, "comprehensive_energy", period)
    if subject.book.row(entity, "comprehensive_energy", period) is None:
        return None
    try:
        found = subject.coal_equivalent(period)
    except FactorNotFoundError as error:
        return Cell(entity, period, (entity,), (not_known(str(error)),), (energy,))
    part = replace(
        electricity,
        value=electricity.value * found.value / KG_PER_TONNE,
        factors=found.ids,
        unit="tce",
        formula=f"{electricity.value!r} x {found.value!r} / {KG_PER_TONNE:g}",
        number=None,
        parts=(electricity,),
    )
    return Cell(entity, period, (entity,), (part,), (energy,), choices=tuple(found.choices))


def _per_product(subject: Subject, entity: str, period: FigurePeriod) -> Cell | None:
    """Energy per product of an enterprise that makes one; of several nobody knows whose energy it was."""
    products = subject.book.products(entity, period)
    energy = subject.book.published(entity, "comprehensive_energy", period, min_completeness=subject.min_completeness)
    if not products:
        if subject.book.row(entity, "energy_per_product", period) is None:
            return None
        return Cell(entity, period, (entity,), (energy,), (not_known(f"no product of {period} is entered"),))
    if len(products) > 1:
        names = ", ".join(name for name, _ in products)
        several = not_known(f"energy is not measured per product; there are {names}")
        return Cell(entity, period, (entity,), (energy,), (several,))
    name, unit = products[0]
    made = subject.book.figure(entity, FigureKind.PRODUCT_OUTPUT, period, product=name)
    return Cell(entity, period, (entity,), (energy,), (made,), f"tce per {unit} of {name}")


def _zero_carbon(subject: Subject, entity: str, period: FigurePeriod) -> Cell | None:
    """Carbon by the method of zero-carbon parks, entered process emissions included, per energy."""
    if subject.book.row(entity, "carbon_zero_carbon_park", period) is None:
        return None
    carbon = subject.book.published(entity, "carbon_zero_carbon_park", period)
    process = subject.book.figure(entity, FigureKind.PROCESS_CARBON, period)
    energy = subject.book.published(entity, "comprehensive_energy", period)
    if process.is_known:
        note = f"{process.value:g} t of process emissions as entered"
        whole = replace(
            carbon,
            value=carbon.value + process.value,
            estimated_share=max(carbon.estimated_share, process.estimated_share),
            formula=f"{carbon.value!r} + {process.value!r}",
            number=None,
            parts=(carbon, process),
        )
        return Cell(entity, period, (entity,), (whole,), (energy,), note)
    return Cell(entity, period, (entity,), (carbon,), (energy,))


def _rows(code: str, cells: Sequence[Cell], *, is_share: bool) -> Iterator[RatioRow]:
    """Divide all cells of a ratio at once."""
    if not cells:
        return
    height = max(len(cell.members) for cell in cells)
    numerators, denominators = (np.full((height, len(cells)), np.nan) for _ in range(2))
    for column, cell in enumerate(cells):
        for row, (above, below) in enumerate(zip(cell.numerators, cell.denominators, strict=True)):
            numerators[row, column], denominators[row, column] = above.value, below.value
    found = ratio_of_sums(numerators, denominators)
    if is_share:
        limited = share(found.numerator, found.denominator)
        reason = np.where(found.reason == 0, limited.reason, found.reason)
        value = np.where(reason == 0, found.value, np.nan)
        found = Ratios(value, found.numerator, found.denominator, reason)
    yield from (indicator_row(code, cell, found, n) for n, cell in enumerate(cells))


def indicator_row(code: str, cell: Cell, found: Ratios, n: int) -> RatioRow:
    """A cell's ratio as it is published."""
    known = [one for one in cell.quantities if one.is_known]
    why = _why(cell, NoRatio(int(found.reason[n])), float(found.denominator[n]))
    notes = [*filter(None, (cell.note,)), *sorted({one.why for one in known if one.why}), *_sources(cell)]
    return RatioRow(
        boundary=cell.entity,
        indicator=code,
        grain=GRAINS[cell.period.grain].value,
        start_us=start_us(cell.period),
        value=_number(found.value[n]),
        numerator=_number(found.numerator[n]),
        denominator=_number(found.denominator[n]),
        unit=INDICATORS[code].unit,
        completeness=min((one.completeness for one in cell.quantities), default=0.0),
        estimated_share=max((one.estimated_share for one in known), default=0.0),
        method=f"{code.replace('_', '-')}/1",
        factor_set=max((one.factor_set for one in known), default=""),
        factors=tuple(sorted({name for one in known for name in one.factors})),
        reason=why or "; ".join(notes),
        made_of=cell.basis,
    )


def _sources(cell: Cell) -> list[str]:
    """Where entered figures are from; those of many enterprises are on record by name, and counted here."""
    entered = [one.source for one in cell.quantities if one.source]
    return [f"sums over {len(cell.members)} enterprises"] if len(cell.members) > 1 else list(dict.fromkeys(entered))


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)


def _why(cell: Cell, reason: NoRatio, denominator: float) -> str:
    """Why there is no ratio, in words; empty: there is one."""
    match reason:
        case NoRatio.THERE_IS_ONE:
            return ""
        case NoRatio.DENOMINATOR_NOT_POSITIVE:
            return f"the denominator is {denominator:g}: nothing to divide by"
        case NoRatio.MORE_THAN_THE_WHOLE:
            return "the part is more than the whole: something was counted twice"
        case _ if len(cell.members) == 1 or reason is not NoRatio.DIFFERENT_ENTITIES:
            return "; ".join(dict.fromkeys(one.why for one in cell.quantities if not one.is_known))
        case _:
            return "numerator and denominator are not of the same enterprises: " + "; ".join(_one_sided(cell))


def _one_sided(cell: Cell) -> Iterable[str]:
    for member, above, below in zip(cell.members, cell.numerators, cell.denominators, strict=True):
        if above.is_known != below.is_known:
            yield f"{member}: {above.why if below.is_known else below.why}"


def _green_rows(subject: Subject, periods: Sequence[FigurePeriod]) -> Iterator[RatioRow]:
    cells = [
        cell
        for entity in subject.book.entities
        for period in periods
        if (cell := _green_cell(subject, entity, period)) is not None
    ]
    if not cells:
        return
    own, sold, direct, traded, certificates = (
        np.array([cell.numerators[n].value for cell in cells]) for n in range(5)
    )
    found = green_power_share(
        own_use=own,
        own_use_sold_as_certificates=sold * KWH_PER_MWH,
        direct_line=direct * KWH_PER_MWH,
        green_trade=traded * KWH_PER_MWH,
        certificates=certificates * KWH_PER_MWH,
        total=np.array([cell.denominators[0].value for cell in cells]),
    )
    yield from (indicator_row("green_power_share", cell, found, n) for n, cell in enumerate(cells))


_CLAIMS = (GIVEN_AWAY, *CLAIMED)


def _green_cell(subject: Subject, entity: str, period: FigurePeriod) -> Cell | None:
    """Own renewable use and entered claims; what nobody claimed is not claimed."""
    book = subject.book
    if book.row(entity, "electricity_consumption", period) is None:
        return None
    total = book.published(entity, "electricity_consumption", period)
    own = book.published(entity, "photovoltaic_self_used", period)
    if book.row(entity, "photovoltaic_generation", period) is None:
        own = Quantity(0.0, name="photovoltaic_self_used", entity=entity, unit="kWh", note="no own generation")
    claims = tuple(book.claim(entity, kind, period) for kind in _CLAIMS)
    parts = [f"{claim.value:g} MWh {kind}" for kind, claim in zip(_CLAIMS, claims, strict=True) if claim.source]
    shown = (_kept(own, claims[0]), *(_times(claim, KWH_PER_MWH, "kWh") for claim in claims[1:]))
    return Cell(entity, period, (entity,), (own, *claims), (total,), ", ".join(parts), shown=shown)


def _kept(own: Quantity, sold: Quantity) -> Quantity:
    """Own renewable use whose certificates were not sold."""
    if not sold.value and not own.value < 0.0:
        return own
    value = max(own.value - sold.value * KWH_PER_MWH, 0.0)
    formula = f"max({own.value!r} - {sold.value!r} x {KWH_PER_MWH:g}, 0)"
    return replace(own, value=value, formula=formula, number=None, parts=(own, sold))


def _times(quantity: Quantity, factor: float, unit: str) -> Quantity:
    """The same in another unit."""
    return replace(
        quantity,
        value=quantity.value * factor,
        unit=unit,
        formula=f"{quantity.value!r} x {factor!r}",
        figure=None,
        parts=(quantity,),
    )


def _not_counted(output: Quantity) -> Quantity:
    """Output of a firm whose energy is not measured: no part of what is covered."""
    note = "energy not measured: not counted"
    return replace(output, value=0.0, formula="", note=note, figure=None, parts=(output,))

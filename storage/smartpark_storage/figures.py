"""Business figures: recorded by revision, read by period; and the months whose ratios they change.

Recording is one transaction: all figures given, or none. A figure that says what is already on record makes no
revision, so recording the same file twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from smartpark.business_figures import BusinessFigure, FigureGrain, FigurePeriod

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

EVER: Final = (date(2000, 1, 1), date(2100, 1, 1))
"""Span of all figures, half-open."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure on record."""

    park: str
    entity: str
    kind: str
    product: str
    price_basis: str
    grain: str
    first_day: date
    revision: int
    value: float | None
    """None: it was withdrawn."""
    unit: str
    is_estimated: bool
    source_document: str
    entered_by: str
    note: str
    recorded_at: datetime
    superseded_at: datetime | None
    """None: it stands."""

    @property
    def period(self) -> FigurePeriod:
        """What it describes."""
        return FigurePeriod(self.first_day, FigureGrain(self.grain))


@dataclass(frozen=True, slots=True)
class FigureReport:
    """What recording did."""

    added: int = 0
    """Figures that were not there."""
    corrected: int = 0
    """New revisions."""
    withdrawn: int = 0
    """Revisions that take a figure back."""
    unchanged: int = 0
    """On record already."""


@dataclass(frozen=True, slots=True)
class RatioEntity:
    """A park or a part of it."""

    entity: str
    area_mu: float | None
    is_above_scale: bool | None
    """None: no enterprise."""
    industry: str | None
    sub_park: str | None
    """Of an enterprise: ``sub_park/CODE``."""


@dataclass(frozen=True, slots=True)
class RatioInput:
    """A published number, as far as a ratio needs it."""

    boundary: str
    indicator: str
    grain: str
    start_us: int
    value: float | None
    completeness: float
    estimated_share: float
    method: str
    factor_set: str
    factors: list[str]
    uncertainty: float | None


@dataclass(frozen=True, slots=True)
class RankingInput:
    """A park, and one published year of one indicator; without one `indicator` is None."""

    park: str
    name: str
    name_en: str
    peer_class: int
    terrain: str
    indicator: str | None
    start_us: int | None
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str | None
    completeness: float | None
    reason: str | None


def figure_entities(connection: Connection) -> set[tuple[str, str]]:
    """(park, entity) of everything in service that a figure may be of."""
    with transaction(connection):
        return {(park, entity) for park, entity in connection.execute(query("figure_entities"))}


def entity_complaint(figure: BusinessFigure, known: set[tuple[str, str]]) -> str | None:
    """Why a figure's park or entity is not in the catalogue; None: it is."""
    if (figure.park, figure.entity) in known:
        return None
    parks = sorted({park for park, _ in known})
    if figure.park not in parks:
        return f"park: there is no park {figure.park!r}; known: {', '.join(parks) or 'none yet'}"
    entities = ", ".join(sorted(entity for park, entity in known if park == figure.park))
    return f"entity: park {figure.park} has no {figure.entity!r}; it has: {entities}"


def record_figures(connection: Connection, figures: Sequence[BusinessFigure], *, at: datetime) -> FigureReport:
    """Record figures whose entities exist, in one transaction, and mark the months whose ratios they change.

    Parameters
    ----------
    connection : Connection
    figures : sequence of BusinessFigure
        Each key at most once; checked against `figure_entities`.
    at : datetime
        When they are recorded; kept with each.
    """
    if not figures:
        return FigureReport()
    parameters = {"rows": Jsonb([_row(figure) for figure in figures]), "at": at}
    with transaction(connection):
        connection.execute(query("lock_figures"), {"parks": [figure.park for figure in figures]})
        connection.execute(query("supersede_figures"), parameters)
        changed = connection.execute(query("add_figures"), parameters).fetchall()
        periods = {(park, FigurePeriod(day, FigureGrain(grain))) for park, grain, day, *_ in changed}
        mark_ratios_stale(connection, ((park, month) for park, period in periods for month in period.months))
    withdrawn = sum(1 for *_, is_withdrawn in changed if is_withdrawn)
    added = sum(1 for *_, revision, is_withdrawn in changed if revision == 1 and not is_withdrawn)
    return FigureReport(added, len(changed) - added - withdrawn, withdrawn, len(figures) - len(changed))


def _row(figure: BusinessFigure) -> dict[str, Any]:
    row = figure.model_dump(mode="json", exclude={"period"})
    return row | {"grain": figure.span.grain.value, "first_day": figure.span.first.isoformat()}


def mark_ratios_stale(connection: Connection, months: Iterable[tuple[str, date]]) -> int:
    """Mark months (park, first day) whose ratios are to be formed anew; returns marks made."""
    given = sorted(set(months))
    if not given:
        return 0
    parameters = {"parks": [park for park, _ in given], "months": [month for _, month in given]}
    with transaction(connection):
        return connection.execute(query("mark_ratios_stale"), parameters).rowcount


def claim_stale_ratios(connection: Connection, *, limit: int) -> dict[str, list[date]]:
    """Take up to `limit` stale months, oldest marks first, into the caller's transaction: months per park."""
    with transaction(connection):
        rows = connection.execute(query("claim_stale_ratios"), {"limit": limit}).fetchall()
    found: defaultdict[str, set[date]] = defaultdict(set)
    for park, month in rows:
        found[park].add(month)
    return {park: sorted(months) for park, months in sorted(found.items())}


def read_figures(
    connection: Connection,
    *,
    park: str | None = None,
    entity: str | None = None,
    kind: str | None = None,
    start: date = EVER[0],
    end: date = EVER[1],
    history: bool = False,
    limit: int = 1_000_000,
) -> list[FigureRow]:
    """Figures whose period begins in [start, end): those that stand, or every revision with `history`."""
    parameters = {
        "park": park,
        "entity": entity,
        "kind": kind,
        "start": start,
        "end": end,
        "history": history,
        "limit": limit,
    }
    with transaction(connection), connection.cursor(row_factory=class_row(FigureRow)) as cursor:
        return cursor.execute(query("read_figures"), parameters).fetchall()


def ratio_entities(connection: Connection, park: str) -> list[RatioEntity]:
    """A park and its parts in service."""
    with transaction(connection):
        return [RatioEntity(*row) for row in connection.execute(query("ratio_entities"), {"park": park})]


def ratio_inputs(
    connection: Connection,
    park: str,
    *,
    indicators: Iterable[str],
    grains: Iterable[str],
    start: datetime,
    end: datetime,
) -> list[RatioInput]:
    """Current numbers of a park and its parts for periods that start in [start, end)."""
    parameters = {
        "park": park,
        "indicators": sorted(indicators),
        "grains": sorted(grains),
        "start": start,
        "end": end,
    }
    with transaction(connection):
        rows = connection.execute(query("ratio_inputs"), parameters).fetchall()
    return [RatioInput(*row) for row in rows]


def ranking_inputs(
    connection: Connection, *, indicators: Iterable[str], starts: Iterable[datetime]
) -> list[RankingInput]:
    """Every park in service with its published years of these indicators; one without any is there once."""
    parameters = {"indicators": sorted(indicators), "starts": sorted(starts)}
    with transaction(connection):
        return [RankingInput(*row) for row in connection.execute(query("ranking_inputs"), parameters)]


def ranking_sectors(
    connection: Connection, *, indicator: str, start: datetime
) -> list[tuple[str, str, float, float]]:
    """(Park, sector, numerator, denominator) of a year: sums over the enterprises that have this ratio."""
    with transaction(connection):
        return connection.execute(query("ranking_sectors"), {"indicator": indicator, "start": start}).fetchall()

"""Parks among their peers for one year, indicator by indicator, from what is published.

Decides nothing about money: it says where a park stands in its group, which group that was, and how it moved against
the year before. There is no score over all indicators, because nobody has published its weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE, to_us
from smartpark.dated import in_force
from smartpark.evaluation import EvaluationRules, RankedIndicator, RankingRule, builtin_rules
from smartpark.indicators import INDICATORS
from smartpark_analytics.ranking import (
    NotRanked,
    PeerLevel,
    Ranking,
    industry_mix_adjusted,
    progress,
    rank_parks,
)
from smartpark_storage.connections import Connection
from smartpark_storage.figures import RankingInput, ranking_inputs, ranking_sectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COVERAGE = "output_coverage"
MIX_ADJUSTED = ("energy_per_value_added", "carbon_per_value_added")
"""Intensities that are also given with the group's mix of industries."""


@dataclass(frozen=True, slots=True)
class Place:
    """A park in one indicator; None where it is not known."""

    park: str
    name: str
    name_en: str
    peer_class: int
    terrain: str
    value: float | None
    coverage: float | None
    """Share of the above-scale output that the value covers."""
    level: str | None
    """Group that it was compared within: class_and_terrain, class, province."""
    group_size: int
    percentile: float | None
    """100 is best."""
    robust_z: float | None
    """Above zero is better than the group's median."""
    not_ranked: str | None
    """Why it has no percentile: not_known, low_coverage, too_few_peers."""
    progress: float | None
    """Improvement against the year before; above zero is better."""
    progress_percentile: float | None
    reason: str
    """What is published beside the value, or why there is none."""


@dataclass(frozen=True, slots=True)
class Table:
    """Parks in one indicator, best first; those without rank last."""

    indicator: str
    zh: str
    en: str
    unit: str
    higher_is_better: bool
    is_mix_adjusted: bool
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Parks:
    """Parks in the order of their codes, and what is published of them."""

    rows: tuple[RankingInput, ...]
    """One of each park."""
    published: Mapping[tuple[str, str, int], RankingInput]
    """By park, indicator and start of the year."""
    peer_class: Ints
    terrain: Ints

    def column(self, indicator: str, start_us: int) -> Floats:
        """Values of an indicator; NaN where there is none."""
        return np.array([self.value(park.park, indicator, start_us) for park in self.rows], np.float64)

    def value(self, park: str, indicator: str, start_us: int) -> float:
        """One value."""
        row = self.published.get((park, indicator, start_us))
        return nan if row is None or row.value is None else row.value

    def reason(self, park: str, indicator: str, start_us: int) -> str:
        """What stands beside it."""
        row = self.published.get((park, indicator, start_us))
        return f"{indicator} is not published" if row is None else row.reason or ""

    def coverage(self, start_us: int) -> Floats:
        """Coverage of each park: the whole, where its figures are its own and not its enterprises'."""
        return np.array(
            [
                self.value(park.park, COVERAGE, start_us)
                if (park.park, COVERAGE, start_us) in self.published
                else 1.0
                for park in self.rows
            ]
        )


def rank_year(connection: Connection, year: int, *, rules: EvaluationRules | None = None) -> list[Table]:
    """Rank the parks of this instance in every indicator that is compared."""
    given = rules or builtin_rules()
    rule = in_force(given.ranking_rule, date(year, 12, 31), what="ranking rule")
    start, before = (datetime(y, 1, 1, tzinfo=PARK_ZONE) for y in (year, year - 1))
    wanted = [*(one.indicator for one in given.ranked), COVERAGE]
    parks = parks_of(ranking_inputs(connection, indicators=wanted, starts=[start, before]))
    tables: list[Table] = []
    for one in given.ranked:
        values, earlier = (parks.column(one.indicator, to_us(at)) for at in (start, before))
        tables.append(table_of(parks, one, values, earlier, start_us=to_us(start), rule=rule))
        if one.indicator in MIX_ADJUSTED:
            adjusted, adjusted_before = (
                _mix_adjusted(connection, parks, one.indicator, at) for at in (start, before)
            )
            if not np.isnan(adjusted).all():
                tables.append(
                    table_of(
                        parks, one, adjusted, adjusted_before, start_us=to_us(start), rule=rule, is_mix_adjusted=True
                    )
                )
    return tables


def parks_of(rows: Sequence[RankingInput]) -> _Parks:
    """Parks and what is published of them."""
    first = {row.park: row for row in reversed(rows)}
    parks = tuple(first[code] for code in sorted(first))
    published = {
        (row.park, row.indicator, row.start_us): row
        for row in rows
        if row.indicator is not None and row.start_us is not None
    }
    terrains = sorted({park.terrain for park in parks})
    return _Parks(
        parks,
        published,
        np.array([park.peer_class for park in parks], np.int64),
        np.array([terrains.index(park.terrain) for park in parks], np.int64),
    )


def _mix_adjusted(connection: Connection, parks: _Parks, indicator: str, start: datetime) -> Floats:
    rows = ranking_sectors(connection, indicator=indicator, start=start)
    place = {park.park: n for n, park in enumerate(parks.rows)}
    sectors = sorted({sector for _, sector, _, _ in rows})
    numerators, denominators = (np.full((len(place), len(sectors)), np.nan) for _ in range(2))
    for park, sector, numerator, denominator in rows:
        if park in place:
            at = (place[park], sectors.index(sector))
            numerators[at], denominators[at] = numerator, denominator
    return industry_mix_adjusted(numerators, denominators, parks.peer_class).value


def table_of(
    parks: _Parks,
    indicator: RankedIndicator,
    values: Floats,
    earlier: Floats,
    *,
    start_us: int,
    rule: RankingRule,
    is_mix_adjusted: bool = False,
) -> Table:
    """Rank parks in one indicator, by level and by progress."""
    coverage = parks.coverage(start_us)

    def ranked(of: Floats, *, higher: bool, skewed: bool) -> Ranking:
        return rank_parks(
            of,
            higher_is_better=higher,
            right_skewed=skewed,
            peer_class=parks.peer_class,
            terrain=parks.terrain,
            coverage=coverage,
            min_group=rule.min_group,
            min_coverage=rule.min_coverage,
            winsor=rule.winsor,
        )

    moved = progress(values, earlier, higher_is_better=indicator.higher_is_better)
    by_level = ranked(values, higher=indicator.higher_is_better, skewed=indicator.right_skewed)
    by_progress = ranked(moved, higher=True, skewed=False)
    places = [
        _place(parks, n, indicator.indicator, start_us, values, coverage, by_level, moved, by_progress)
        for n in range(len(parks.rows))
    ]
    # Best first; what has no rank follows by value.
    places.sort(key=lambda p: (p.percentile is None, -(p.percentile or 0.0), p.value is None, p.park))
    meaning = INDICATORS[indicator.indicator]
    return Table(
        indicator.indicator,
        meaning.zh,
        meaning.en,
        meaning.unit,
        indicator.higher_is_better,
        is_mix_adjusted,
        tuple(places),
    )


def _place(  # noqa: PLR0917  one column of a table each
    parks: _Parks,
    n: int,
    indicator: str,
    start_us: int,
    values: Floats,
    coverage: Floats,
    by_level: Ranking,
    moved: Floats,
    by_progress: Ranking,
) -> Place:
    park, reason, level = parks.rows[n], NotRanked(int(by_level.reason[n])), PeerLevel(int(by_level.level[n]))
    is_ranked = reason is NotRanked.IT_IS_RANKED
    return Place(
        park=park.park,
        name=park.name,
        name_en=park.name_en,
        peer_class=park.peer_class,
        terrain=park.terrain,
        value=_number(values[n]),
        coverage=_number(coverage[n]),
        level=level.name.lower() if is_ranked else None,
        group_size=int(by_level.group_size[n]) if is_ranked else 0,
        percentile=_number(by_level.percentile[n]),
        robust_z=_number(by_level.robust_z[n]),
        not_ranked=None if is_ranked else reason.name.lower(),
        progress=_number(moved[n]),
        progress_percentile=_number(by_progress.percentile[n]),
        reason=parks.reason(park.park, indicator, start_us),
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)

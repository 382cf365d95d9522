"""Heat of steam for balances, quarter-hour by quarter-hour: mass times enthalpy, by pressure and temperature.

The heat of a meter is a series of its own beside that of its mass, so it is summed, completed and explained like any
other. Where a quarter-hour has mass and no enthalpy (an instrument is silent or wrong), the heat of the factor table
stands in, and counts as estimated. A state of the steam holds until the next reading, an hour at most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.errors import SmartparkError
from smartpark.steam_meters import SteamMeter, heat_number, mass_of

from smartpark_analytics.accounting.coefficients import Context, heat_terms
from smartpark_analytics.accounting.statement import Series, Statement
from smartpark_analytics.accounting.sums import HOUR_US, HOURS_A_DAY, QUARTER_US, Quarters
from smartpark_analytics.demand import block_means
from smartpark_analytics.steam import SteamState, steam_enthalpy, steam_heat

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAD_QUARTERS: Final = 4
"""Quarter-hours before the first day whose readings may still hold."""
DAY_US: Final = HOURS_A_DAY * HOUR_US
_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class HeatTerms:
    """What the heat of a meter's steam is counted with."""

    reference: float
    """Enthalpy of the water that the steam was made of. [GJ/t]"""
    table: float
    """Heat of steam of which nothing is known; NaN: nobody has entered any. [GJ/t]"""


@dataclass(frozen=True, slots=True)
class SteamStates:
    """Steam in the quarter-hours of whole days; arrays have shape (n_meters, n_days x 96)."""

    meters: tuple[SteamMeter, ...]
    pressure: Floats
    """Absolute; NaN: not known. [kPa]"""
    temperature: Floats
    """NaN: not known. [Cel]"""
    enthalpy: Floats
    """NaN where `state` says so. [GJ/t]"""
    state: Ints
    """`SteamState`."""


@dataclass(frozen=True, slots=True)
class SteamHeat:
    """Quarter-hours of a park with the heat of its steam, and the states that it follows from."""

    quarters: Quarters
    states: SteamStates | None = None
    """None: no meter knows its steam."""

    def words(self, statement: Statement, series: Series) -> list[str]:
        """What is to be said of a statement's steam in each period; empty: nothing."""
        if self.states is None:
            return []
        return steam_words(statement, self.quarters, self.states, series.start_us, series.end_us)

    def summaries(self, statement: Statement, start_us: int, end_us: int) -> list["SteamSummary"]:
        """The steam behind a statement's heat in [start, end), meter by meter."""
        mass = {mass_of(term.flow.point_id) for term in statement.plan.terms}
        return [
            steam_summary(self.quarters, self.states, meter.mass_id, start_us, end_us)
            for meter in (() if self.states is None else self.states.meters)
            if self.states is not None and meter.mass_id in mass
        ]


def add_steam_heat(
    quarters: Quarters,
    meters: Sequence[SteamMeter],
    context: Context,
    minutes_of: Callable[[int, int], tuple[Floats, Floats]],
) -> SteamHeat:
    """Append the heat of steam to the quarter-hours of a park.

    Parameters
    ----------
    quarters : Quarters
    meters : sequence of SteamMeter
        Of the park.
    context : Context
        On the first of the days; the same factors hold on all of them.
    minutes_of : callable
        Gives minute means of pressure and temperature of the meters in [start, end): arrays of shape
        (n_meters, n_minutes).
    """
    if not meters:
        return SteamHeat(quarters)
    runs = np.split(quarters.days_us, np.flatnonzero(np.diff(quarters.days_us) != DAY_US) + 1)
    found = [minutes_of(int(run[0]) - LEAD_QUARTERS * QUARTER_US, int(run[-1]) + DAY_US) for run in runs]
    parts = [steam_states(meters, pressure, temperature) for pressure, temperature in found]
    states = SteamStates(
        tuple(meters),
        *(
            np.concatenate([getattr(part, name) for part in parts], axis=1)
            for name in ("pressure", "temperature", "enthalpy", "state")
        ),
    )
    terms = {meter.mass_id: _terms(context, meter.device) for meter in meters}
    return SteamHeat(with_steam_heat(quarters, states, terms), states)


def _terms(context: Context, device: str) -> HeatTerms:
    try:
        reference, table = heat_terms(context, device)
    except SmartparkError:
        # Whoever wants the number is told which row is missing; without it there is no heat.
        return HeatTerms(np.nan, np.nan)
    return HeatTerms(reference.value, table.value)


def steam_states(meters: Sequence[SteamMeter], pressure: Floats, temperature: Floats) -> SteamStates:
    """State of the steam in every quarter-hour.

    Parameters
    ----------
    meters : sequence of SteamMeter
    pressure, temperature : ndarray of float64, shape (n_meters, (n_days x 96 + LEAD_QUARTERS) x 15)
        Minute means as the instruments show them; NaN where there is no reading. [kPa], [Cel]
    """
    above = np.array([meter.to_absolute_kpa for meter in meters])[:, np.newaxis]
    p, t = (_held(block_means(minutes, _MINUTES, least=1))[:, LEAD_QUARTERS:] for minutes in (pressure, temperature))
    found = steam_enthalpy(p + above, t)
    return SteamStates(tuple(meters), p + above, t, found.enthalpy, found.state)


def with_steam_heat(quarters: Quarters, states: SteamStates, terms: Mapping[int, HeatTerms]) -> Quarters:
    """Append the heat of each meter's steam to its mass.

    Parameters
    ----------
    quarters : Quarters
        With the mass of every meter.
    states : SteamStates
        Of the same days.
    terms : mapping of int to HeatTerms
        By the point that counts the mass.
    """
    rows = np.array([quarters.place[meter.mass_id] for meter in states.meters], np.intp)
    reference, table = (
        np.array([getattr(terms[meter.mass_id], name) for meter in states.meters])[:, np.newaxis]
        for name in ("reference", "table")
    )
    mass, is_by_table = quarters.amount[rows], np.isnan(states.enthalpy)
    heat = np.where(is_by_table, mass * table, steam_heat(mass, states.enthalpy, reference))
    first = len(quarters.amount)
    return Quarters(
        dict(quarters.place) | {heat_number(m.mass_id): first + n for n, m in enumerate(states.meters)},
        quarters.days_us,
        np.concatenate([quarters.amount, heat]),
        np.concatenate([quarters.completeness, quarters.completeness[rows]]),
        np.concatenate([quarters.estimated_share, np.where(is_by_table, 1.0, quarters.estimated_share[rows])]),
    )


def steam_words(
    statement: Statement, quarters: Quarters, states: SteamStates, start_us: Ints, end_us: Ints
) -> list[str]:
    """What is to be said of a statement's steam in each period; nothing where all is superheated."""
    words = [""] * len(start_us)
    place = {heat_number(meter.mass_id): n for n, meter in enumerate(states.meters)}
    starts = quarters.days_us[:, np.newaxis] + QUARTER_US * np.arange(states.state.shape[1] // len(quarters.days_us))
    for term in statement.plan.terms:
        row = place.get(term.flow.point_id)
        if row is None:
            continue
        # Of a quarter-hour without steam nobody needs a state.
        flows = np.nan_to_num(quarters.amount[quarters.place[states.meters[row].mass_id]]) != 0
        for state, said in _SAID.items():
            at = starts.ravel()[flows & (states.state[row] == state)]
            counts = np.searchsorted(at, end_us) - np.searchsorted(at, start_us)
            for period in np.flatnonzero(counts).tolist():
                one = f"{term.flow.key}: {counts[period]} quarter-hours {said}"
                words[period] = "; ".join(filter(None, (words[period], one)))
    return words


_SAID: Final = {
    SteamState.SATURATED: "at saturation, taken as dry steam",
    SteamState.WATER: "colder than saturation, by the table's heat",
    SteamState.OUTSIDE: "without usable pressure or temperature, by the table's heat",
}


@dataclass(frozen=True, slots=True)
class SteamSummary:
    """Steam of a meter in a period; means are over the steam, not over time."""

    meter: str
    mass: float
    """[t]"""
    pressure: float
    """Absolute; NaN: never known. [kPa]"""
    temperature: float
    """[Cel]"""
    enthalpy: float
    """[GJ/t]"""
    by_table: float
    """Steam whose heat is the table's. [t]"""
    heat: float
    """[GJ]"""


def steam_summary(quarters: Quarters, states: SteamStates, mass_id: int, start_us: int, end_us: int) -> SteamSummary:
    """What is behind the heat of a meter's steam in a period."""
    row = next(n for n, meter in enumerate(states.meters) if meter.mass_id == mass_id)
    n_quarters = states.state.shape[1] // len(quarters.days_us)
    starts = (quarters.days_us[:, np.newaxis] + QUARTER_US * np.arange(n_quarters)).ravel()
    inside = (starts >= start_us) & (starts < end_us)
    mass = np.where(inside, np.nan_to_num(quarters.amount[quarters.place[mass_id]]), 0.0)
    heat = np.where(inside, np.nan_to_num(quarters.amount[quarters.place[heat_number(mass_id)]]), 0.0)
    known = np.where(np.isnan(states.enthalpy[row]), 0.0, mass)
    pressure, temperature, enthalpy = (
        float(np.dot(known, np.nan_to_num(of[row])) / known.sum()) if known.sum() else float("nan")
        for of in (states.pressure, states.temperature, states.enthalpy)
    )
    total = float(mass.sum())
    return SteamSummary(
        states.meters[row].device,
        total,
        pressure,
        temperature,
        enthalpy,
        total - float(known.sum()),
        float(heat.sum()),
    )


def _held(means: Floats) -> Floats:
    """Let a mean stand for the quarter-hours until the next one, `LEAD_QUARTERS` at most."""
    column = np.arange(means.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(means), -1, column), axis=1)
    stands = (last >= 0) & (column - last <= LEAD_QUARTERS)
    return np.where(stands, np.take_along_axis(means, np.maximum(last, 0), axis=1), np.nan)

"""The park's load in the days ahead, from what its boundary meters and generators measured.

Reads a little more than a year of quarter-hours, asks the calendar, and lets analytics forecast. A park that nobody
measures gets an answer without numbers that says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.headroom_rules import YearlyPeakRule
from smartpark.workdays import CalendarDay, DayKind, WorkdayCalendar
from smartpark_analytics.forecast import METHOD, LoadForecast, forecast_load
from smartpark_analytics.forecast_scores import interval_coverage, mean_absolute_scaled_error, seasonal_naive
from smartpark_analytics.planning.curves import QUARTER, CalendarSlots, calendar_slots, floor_to
from smartpark_analytics.planning.loads import PEAK_DAYS
from smartpark_analytics.planning.park_ahead import (
    ParkLoad,
    park_ahead,
    park_load,
    park_meters,
    park_year_peak,
    peak_rule,
)
from smartpark_analytics.yearly_peak import METHOD as PEAK_METHOD
from smartpark_analytics.yearly_peak import PeakBasis, YearlyPeak
from smartpark_storage.connections import Connection
from smartpark_storage.reads_load import read_load_points, read_load_quarters

from smartpark_api.planning.models import BandOut, DayOut, ForecastOut, Grid, YearlyPeakOut

Floats = NDArray[np.float64]
MOST_DAYS: Final = 14
STEP: Final = {Grid.QUARTER_HOUR: QUARTER, Grid.HOUR: timedelta(hours=1)}

_PEAK_WORDS: Final = {
    PeakBasis.SEASON_AND_GROWTH: "seasonal curve of the last year, growth against the year before, extreme values",
    PeakBasis.SEASON: "seasonal curve of the last year and extreme values; no growth is claimed, it takes two years",
    PeakBasis.SEEN_SO_FAR: "not a forecast: the highest week seen so far",
    PeakBasis.NONE: "no week is known",
}


def read_park_load(connection: Connection, park: str, *, origin: datetime, days: int) -> ParkLoad:
    """Quarter-hours of the whole park: boundary power plus own generation."""
    meters = park_meters(read_load_points(connection, park))
    quarters = read_load_quarters(connection, meters.points, origin - timedelta(days=days), origin)
    return park_load(meters, quarters, origin=origin)


def forecast_park(
    connection: Connection,
    park: str,
    *,
    now: datetime,
    calendar: WorkdayCalendar,
    days: int = 3,
    grid: Grid = Grid.HOUR,
) -> ForecastOut:
    """Load of the days ahead, and the highest of the coming year."""
    step, rule = STEP[grid], peak_rule(now)
    load = read_park_load(connection, park, origin=floor_to(now, step), days=PEAK_DAYS)
    ahead = park_ahead(load, calendar, days=days, step=step)
    found = ahead.found
    return ForecastOut(
        park=park,
        unit="kW",
        origin=ahead.origin,
        grid=grid,
        time=[int(start.timestamp()) for start in ahead.starts],
        bands=[
            BandOut(quantile=share, values=known(found.values[0, :, n])) for n, share in enumerate(found.quantiles)
        ],
        days=_days(ahead.starts, found.median[0], ahead.slots, step=step),
        yearly_peak=peak_out(park_year_peak(load, rule), 0, unit="kW", rule=rule),
        history_days=round(ahead.history_days, 2),
        basis=ahead.basis.value,
        detail=ahead.detail,
        notes=_notes(ahead.slots, ahead.starts),
        method=METHOD,
    )


def peak_out(peak: YearlyPeak, row: int, *, unit: str, rule: YearlyPeakRule) -> YearlyPeakOut:
    """One series' yearly peak as the API gives it."""
    basis = peak.basis[row]
    weeks = int(peak.weeks_known[row])
    lacking = rule.least_weeks - weeks
    missing = f"; {weeks} of the last 52 weeks are known, {lacking} more are needed" if lacking > 0 else ""
    return YearlyPeakOut(
        unit=unit,
        quantiles=list(peak.quantiles),
        values=known(peak.values[row]),
        highest_week=known(peak.highest_week[row : row + 1])[0],
        growth=float(peak.growth[row]),
        weeks_known=weeks,
        basis=basis.value,
        detail=_PEAK_WORDS[basis] + missing,
        method=PEAK_METHOD,
    )


def known(values: Floats) -> list[float | None]:
    """Numbers for JSON: null where not known."""
    return [None if np.isnan(value) else round(float(value), 3) for value in values]


@dataclass(frozen=True)
class Score:
    """How the method did on this park's own newest weeks."""

    origins: int
    mase: float
    naive_mase: float
    coverage: float


def score_park(
    connection: Connection,
    park: str,
    *,
    now: datetime,
    calendar: WorkdayCalendar,
    days: int,
    grid: Grid,
    origins: int,
) -> Score:
    """Forecast again from each of the last midnights-apart origins, and compare with what came."""
    last = floor_to(now, STEP[grid])
    load = read_park_load(connection, park, origin=last, days=PEAK_DAYS)
    curve = load.history(STEP[grid], days=PEAK_DAYS)
    first = last - timedelta(days=PEAK_DAYS)
    types = calendar_slots(calendar, first, curve.size, STEP[grid]).types
    rows = [
        _score_one(curve, types, curve.size - (days + back) * _per_day(grid), days, _per_day(grid))
        for back in range(origins)
    ]
    table = np.array(rows)
    with np.errstate(invalid="ignore"):
        means = [
            float(np.mean(column[np.isfinite(column)])) if np.isfinite(column).any() else np.nan for column in table.T
        ]
    return Score(int(np.isfinite(table[:, 0]).sum()), *means)


def _score_one(
    curve: Floats, types: NDArray[np.int8], origin: int, days: int, per_day: int
) -> tuple[float, float, float]:
    ahead = days * per_day
    history, came = curve[np.newaxis, :origin], curve[np.newaxis, origin : origin + ahead]
    found: LoadForecast = forecast_load(history, types[: origin + ahead], slots_per_day=per_day)
    season = 7 * per_day
    naive = seasonal_naive(history, ahead, season=season)
    covered = float(interval_coverage(came, found.values[:, :, 0], found.values[:, :, -1])[0])
    return (
        float(mean_absolute_scaled_error(came, found.median, history, season=season)[0]),
        float(mean_absolute_scaled_error(came, naive, history, season=season)[0]),
        covered,
    )


def _per_day(grid: Grid) -> int:
    return timedelta(days=1) // STEP[grid]


def _days(starts: Sequence[datetime], median: Floats, slots: CalendarSlots, *, step: timedelta) -> list[DayOut]:
    local = [start.astimezone(PARK_ZONE).date() for start in starts]
    hours = step / timedelta(hours=1)
    out: list[DayOut] = []
    for day in dict.fromkeys(local):
        own = np.array([n for n, one in enumerate(local) if one == day and np.isfinite(median[n])], dtype=np.intp)
        top = int(own[median[own].argmax()]) if own.size else None
        found = slots.days[day]
        out.append(
            DayOut(
                date=day,
                kind=None if found is None else found.kind.value,
                holiday=None if found is None or found.holiday is None else found.holiday.value,
                peak_kw=None if top is None else round(float(median[top]), 3),
                peak_at=None if top is None else starts[top],
                energy_kwh=round(float(median[own].sum()) * hours, 3) if own.size else None,
            )
        )
    return out


def _notes(slots: CalendarSlots, starts: Sequence[datetime]) -> list[str]:
    ahead = dict.fromkeys(start.astimezone(PARK_ZONE).date() for start in starts)
    unknown = sorted({day.year for day in ahead if slots.days[day] is None})
    notes = [
        f"the calendar of holidays does not cover {year}: its days are taken by their weekday, holidays are not known"
        for year in unknown
    ]
    special = [found for day in ahead if (found := slots.days[day]) is not None and _is_special(found)]
    return notes + [f"{day.day}: {day.kind.value} ({day.holiday})" for day in special]


def _is_special(day: CalendarDay) -> bool:
    return day.kind in {DayKind.HOLIDAY, DayKind.MAKE_UP_DAY}

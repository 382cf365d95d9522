"""What an explanation rests on, read in one transaction: the published row, and the inputs stored today.

Hours and days are recomputed from interval energy with the factors in the database, by the same functions that derive
publishes with. Months and years are added up from the published days and months. Everything else is told as it is
published. Nothing is written.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from smartpark.accounts import PARK, ParkAccounts, accounts_of_catalogue
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.coefficients import Lookup
from smartpark.errors import SmartparkError
from smartpark.factors import FactorSet
from smartpark.indicators import INDICATORS, Accumulation, IndicatorMeaning, meaning_of
from smartpark.periods import Grain, Period, period_containing
from smartpark.steam_meters import SteamMeter, steam_meters
from smartpark_analytics.accounting import (
    RECIPES,
    TREE_RECIPES,
    Context,
    SteamHeat,
    add_steam_heat,
    hours_and_days,
    park_quarters,
    reason_of,
    state,
)
from smartpark_analytics.accounting.certified import INPUTS, METHODS, certificates_of, certified_carbon
from smartpark_analytics.accounting.explanation import (
    Explanation,
    NothingToExplainError,
    compared,
    explain_certified,
    explain_parts,
    explain_row,
    explain_statement,
    plan_for,
)
from smartpark_storage import Connection, Registry, fetch_interval_energy, load_registry
from smartpark_storage.deriving import park_factor_scopes
from smartpark_storage.factors import load_factor_set
from smartpark_storage.figures import read_figures
from smartpark_storage.reads import read_published_series
from smartpark_storage.registry import current_catalogue
from smartpark_storage.revisions import PublishedRow, published_parts, published_row
from smartpark_storage.steam_minutes import fetch_steam_minutes

_PERIOD = re.compile(r"(?P<year>\d{4})(-(?P<month>\d{2})(-(?P<day>\d{2})(T(?P<hour>\d{2})(:00)?)?)?)?")
_PARTS = {Grain.MONTH: Grain.DAY, Grain.YEAR: Grain.MONTH}
_SHOWN = 8
_SUMMED = frozenset(recipe.indicator for recipe in (*RECIPES, *TREE_RECIPES))


@dataclass(frozen=True, slots=True)
class Question:
    """Which number is asked about."""

    indicator: str
    park: str
    period: Period
    boundary: str = PARK
    revision: int | None = None
    """None: the current one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A number, what is published of it, and what it is made of."""

    question: Question
    meaning: IndicatorMeaning
    explanation: Explanation
    published: PublishedRow | None


def parse_period(text: str) -> Period:
    """Accounting period of ``2026-11-22T10``, ``2026-11-22``, ``2026-11`` or ``2026``, in the park's zone.

    Raises
    ------
    SmartparkError
        When it is none of these.
    """
    found = _PERIOD.fullmatch(text)
    refusal = f"{text!r} is no period: an hour 2026-11-22T10, a day 2026-11-22, a month 2026-11 or a year 2026"
    if found is None:
        raise SmartparkError(refusal)
    year, month, day, hour = (found[name] for name in ("year", "month", "day", "hour"))
    grain = Grain.HOUR if hour else Grain.DAY if day else Grain.MONTH if month else Grain.YEAR
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        start = datetime.combine(first, time(int(hour or 0)), tzinfo=PARK_ZONE)
    except ValueError as error:
        raise SmartparkError(f"{refusal} ({error})") from None
    return period_containing(start.astimezone(UTC), grain)


class Sources:
    """What explanations of one moment rest on; everything is read once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._accounts: dict[str, ParkAccounts] = {}
        self._quarters: dict[tuple[str, int], SteamHeat] = {}
        self._steam: dict[str, tuple[SteamMeter, ...]] = {}

    @cached_property
    def factors(self) -> FactorSet:
        """Rows in the database."""
        return load_factor_set(self.connection)

    @cached_property
    def scopes(self) -> dict[str, str]:
        """Whose grid average counts, by park."""
        return park_factor_scopes(self.connection)

    @cached_property
    def _registry(self) -> Registry:
        return load_registry(self.connection)

    def accounts(self, park: str) -> ParkAccounts:
        """Accounts of a park, from the catalogue in force."""
        if park not in self._accounts:
            catalogue = current_catalogue(self.connection, park)
            if catalogue is None:
                known = ", ".join(sorted(self.scopes)) or "none yet"
                raise NothingToExplainError(f"there is no park {park!r}; known: {known}")
            points = self._registry.by_id
            self._accounts[park] = accounts_of_catalogue(catalogue, points.values())
            self._steam[park] = steam_meters(catalogue, (p for p in points.values() if p.park == park))
        return self._accounts[park]

    def context(self, park: str, day: Period) -> Context:
        """By whose factors the park counts on a day, and which of its steam by enthalpy."""
        self.accounts(park)
        by_enthalpy = frozenset(meter.mass_id for meter in self._steam[park])
        return Context(self.factors, park, day.day, self.scopes[park], by_enthalpy)

    def quarters(self, park: str, day: Period) -> SteamHeat:
        """Quarter-hours of an accounting day, with the heat of its steam."""
        start, end = to_us(day.start), to_us(day.end)
        if (park, start) not in self._quarters:
            accounts = self.accounts(park)
            intervals = fetch_interval_energy(self.connection, accounts.point_ids, start, end)
            if not intervals.size:
                raise NothingToExplainError(f"{park}, {day.day}: there is no interval energy on that day")
            steam, points = self._steam[park], self._registry.by_id
            self._quarters[park, start] = add_steam_heat(
                park_quarters(accounts, intervals, np.array([start], np.int64)),
                steam,
                self.context(park, day),
                lambda first, last: fetch_steam_minutes(self.connection, steam, points, first, last),
            )
        return self._quarters[park, start]


def explain(sources: Sources, question: Question) -> Answer:
    """Explain a number.

    Raises
    ------
    NothingToExplainError
        When there is no such indicator, park or number.
    """
    if question.indicator not in INDICATORS:
        raise NothingToExplainError(_unknown(question.indicator))
    meaning = meaning_of(question.indicator)
    published = _published(sources, question)
    if question.period.grain in _PARTS and _adds_up(meaning):
        explanation = _from_parts(sources, question, published)
    elif question.indicator in _SUMMED and question.period.grain in {Grain.HOUR, Grain.DAY}:
        explanation = _from_terms(sources, question)
    elif question.indicator in METHODS:
        explanation = _from_months(sources, question, _required(sources, question, published))
    else:
        found = _required(sources, question, published)
        explanation = explain_row(found, indicator=question.indicator, boundary=question.boundary)
    return Answer(question, meaning, compared(explanation, published), published)


def _adds_up(meaning: IndicatorMeaning) -> bool:
    is_ours = meaning.code in _SUMMED or meaning.code == "carbon_per_energy"
    return is_ours and meaning.accumulation in {Accumulation.SUM, Accumulation.RATIO}


def _published(sources: Sources, question: Question) -> PublishedRow | None:
    found = published_row(
        sources.connection,
        question.park,
        question.boundary,
        question.indicator,
        grain=question.period.grain.value,
        start_us=to_us(question.period.start),
        revision=question.revision,
    )
    if found is None and question.revision is not None:
        raise NothingToExplainError(f"{_named(question)} has no revision {question.revision}")
    return found


def _named(question: Question) -> str:
    local = question.period.start.astimezone(PARK_ZONE)
    grain = question.period.grain.value
    return f"{question.indicator} of {question.park}, {question.boundary}, {grain} of {local:%Y-%m-%d %H:%M}"


def _required(sources: Sources, question: Question, published: PublishedRow | None) -> PublishedRow:
    if published is None:
        sources.accounts(question.park)  # an unknown park says so first
        raise NothingToExplainError(f"{_named(question)} is not published; {_what_is(sources, question)}")
    return published


def _what_is(sources: Sources, question: Question) -> str:
    """Of what an indicator is published instead, or what to do so that it will be."""
    series = read_published_series(sources.connection, question.park, question.indicator)
    grains = sorted({one.grain for one in series if one.boundary == question.boundary})
    boundaries = sorted({one.boundary for one in series if one.grain == question.period.grain.value})
    if not series:
        page = f"docs/methods/{meaning_of(question.indicator).method_page}.md"
        return f"it never was for this park; {page} says what it needs"
    if question.boundary not in boundaries and boundaries:
        shown = ", ".join(boundaries[:_SHOWN]) + (
            f" and {len(boundaries) - _SHOWN} more" * (len(boundaries) > _SHOWN)
        )
        return f"try --boundary with one of: {shown}"
    if question.period.grain.value not in grains:
        return f"it is published by {' and '.join(grains or sorted({one.grain for one in series}))}"
    return "there is none of that period: is derive running, and are there readings of it?"


def _unknown(indicator: str) -> str:
    """That there is no such indicator, and which come near it in code or name."""
    asked = indicator.casefold()
    named = [m.code for m in INDICATORS.values() if asked in f"{m.code} {m.zh} {m.en}".casefold()]
    near = named or get_close_matches(asked, INDICATORS, cutoff=0.5)
    hint = f"did you mean {', '.join(near[:_SHOWN])}? " if near else ""
    return f"no indicator has the code {indicator!r}; {hint}`smartpark indicators` lists all {len(INDICATORS)}"


def _from_terms(sources: Sources, question: Question) -> Explanation:
    accounts, period = sources.accounts(question.park), question.period
    day = period_containing(period.start, Grain.DAY)
    plan = plan_for(accounts, question.indicator, question.boundary, sources.context(question.park, day))
    heat = sources.quarters(question.park, day)
    is_hour = period.grain is Grain.HOUR
    series, _ = hours_and_days(heat.quarters, {to_us(period.start)} if is_hour else set())
    statement = state(plan, series)
    said = (heat.words(statement, series) or [""])[0]
    explained = explain_statement(statement, 0, "; ".join(filter(None, (said, reason_of(statement, 0)))))
    return replace(explained, steam=tuple(heat.summaries(statement, to_us(period.start), to_us(period.end))))


def _from_parts(sources: Sources, question: Question, published: PublishedRow | None) -> Explanation:
    found = _required(sources, question, published)
    period = question.period
    parts = published_parts(
        sources.connection,
        question.park,
        question.boundary,
        [question.indicator],
        grain=_PARTS[period.grain].value,
        start_us=to_us(period.start),
        end_us=to_us(period.end),
    )
    return explain_parts(found, parts, indicator=question.indicator, boundary=question.boundary)


def _from_months(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    """Methods with certificates: from what is published of the period, and the certificates on record."""
    period = question.period
    found = published_parts(
        sources.connection,
        question.park,
        question.boundary,
        INPUTS,
        grain=period.grain.value,
        start_us=to_us(period.start),
        end_us=to_us(period.end),
    )
    certificates = certificates_of(read_figures(sources.connection, park=question.park), question.boundary, period)
    carbon = certified_carbon(
        question.indicator,
        {row.indicator: row.value for row in found if row.value is not None},
        certificates,
        Lookup(sources.factors, period.day, park=question.park),
        sources.scopes[question.park],
    )
    is_known = all(row.value is not None for row in found)
    return explain_certified(carbon, published, boundary=question.boundary, is_known=is_known)


def day_of(start_us: int) -> date:
    """Accounting day that begins at an instant."""
    return from_us(start_us).astimezone(PARK_ZONE).date()

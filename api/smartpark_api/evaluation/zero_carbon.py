"""A park against the core indicator and the guiding ones of national zero-carbon parks, from a published year."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from math import isnan, nan

import numpy as np
from smartpark.clock import PARK_ZONE
from smartpark.dated import in_force
from smartpark.evaluation import EvaluationRules, ZeroCarbonThreshold, builtin_rules
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, period_containing
from smartpark_analytics.zero_carbon_park import Verdict, standing
from smartpark_storage.connections import Connection
from smartpark_storage.reads import IndicatorReadRow, read_indicators

ENERGY = "comprehensive_energy"
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Check:
    """One indicator against its threshold."""

    indicator: str
    zh: str
    en: str
    role: str
    """core or guiding."""
    unit: str
    value: float | None
    limit: float | None
    """None: there is none for a park of this annual energy."""
    at_most: bool
    gap: float | None
    """How far it is short of the threshold; zero or less: reached."""
    verdict: str
    """passes, fails, not_known (the value, or the energy by which its threshold is chosen), no_threshold."""
    reason: str
    """What is published beside the value, or why there is none."""
    source: str
    grade: str


def check_park(connection: Connection, park: str, year: int, *, rules: EvaluationRules | None = None) -> list[Check]:
    """Check a park's year, the core indicator first."""
    period = period_containing(datetime(year, 6, 1, tzinfo=PARK_ZONE), Grain.YEAR)
    rows = read_indicators(connection, park, period.start, period.end, grain=Grain.YEAR.value, limit=_MANY)
    known = {row.indicator: row for row in rows}
    given, last_day = rules or builtin_rules(), date(year, 12, 31)
    least = in_force(given.ratio_rule, last_day, what="ratio rule").min_completeness
    energy = known.get(ENERGY)
    # Half a year's energy chooses no threshold for a year.
    is_whole = energy is not None and (energy.completeness or 0.0) >= least
    annual = energy.value if energy is not None and is_whole and energy.value is not None else nan
    thresholds = given.zero_carbon_on(last_day)
    checks: list[Check] = []
    for indicator in dict.fromkeys(row.indicator for row in thresholds):
        of = [row for row in thresholds if row.indicator == indicator]
        fitting = [row for row in of if _fits(row, annual)]
        if not fitting and isnan(annual):
            checks.append(_unchosen(known.get(indicator), of[0], energy))
        else:
            checks.append(_check(known.get(indicator), of[0], fitting[0] if fitting else None))
    return checks


def _fits(row: ZeroCarbonThreshold, annual: float) -> bool:
    """Whether a threshold is for a park of this annual energy; one without bounds is for every park."""
    if row.from_energy_tce == 0.0 and row.to_energy_tce is None:
        return True
    return annual >= row.from_energy_tce and (row.to_energy_tce is None or annual < row.to_energy_tce)


def _check(
    published: IndicatorReadRow | None, any_row: ZeroCarbonThreshold, row: ZeroCarbonThreshold | None
) -> Check:
    value = nan if published is None or published.value is None else published.value
    at_most = any_row.at_most is not None
    found = standing(np.array([value]), np.array([nan if row is None else row.limit]), at_most=at_most)
    meaning = INDICATORS[any_row.indicator]
    return Check(
        indicator=any_row.indicator,
        zh=meaning.zh,
        en=meaning.en,
        role=any_row.role.value,
        unit=any_row.unit,
        value=_number(value),
        limit=None if row is None else row.limit,
        at_most=at_most,
        gap=_number(float(found.gap[0])),
        verdict=Verdict(int(found.verdict[0])).name.lower(),
        reason=f"{any_row.indicator} is not published" if published is None else published.reason,
        source=(row or any_row).source,
        grade=(row or any_row).grade,
    )


def _unchosen(
    published: IndicatorReadRow | None, any_row: ZeroCarbonThreshold, energy: IndicatorReadRow | None
) -> Check:
    """Nobody can say which threshold it is: the energy of the year is not known, or not of the whole year."""
    if energy is None:
        why = f"{ENERGY} is not published"
    elif energy.value is None:
        why = energy.reason
    else:
        why = f"{ENERGY} of the year is complete to {energy.completeness or 0.0:.1%} only"
    found = _check(published, any_row, None)
    return replace(found, verdict=Verdict.NOT_KNOWN.name.lower(), reason="; ".join(filter(None, (why, found.reason))))


def _number(value: float) -> float | None:
    return None if isnan(value) else value

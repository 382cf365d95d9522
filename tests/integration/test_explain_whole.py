"""Every published number that does not come from gauges: explained down to meters and figures, to the last digit."""

import re
from collections import defaultdict
from typing import Any

import pytest
from derive_park import DAY, HOUR, MIDNIGHT, DerivePark
from explained_park import NOW, explained_park, figure
from smartpark.addition import in_order
from smartpark.business_figures import FigureKind
from smartpark.clock import from_us, to_us
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting.certified import METHODS
from smartpark_analytics.accounting.explained import ExplainedInput, Explanation
from smartpark_analytics.ratios.specs import RATIOS
from smartpark_api.explaining.evidence import LISTED, WHOLE, Depth, Question, Sources, explain
from smartpark_api.explaining.models import answer_out
from smartpark_api.explaining.text import told
from smartpark_api.sentences import untold
from smartpark_ingest.derive_figures import RatioDeriver
from smartpark_ingest.derive_publish import PUBLISHED
from smartpark_storage import transaction
from smartpark_storage.figures import record_figures

pytestmark = pytest.mark.timeout(900)  # two parks are derived; a busy machine takes its time
NOT_FROM_GAUGES = {*PUBLISHED, *METHODS, *RATIOS}
DERIVED = {from_us(MIDNIGHT), from_us(MIDNIGHT + DAY)}
"""Days that were derived; the others were published without readings."""
ARITHMETIC = re.compile(r"[-+*/(), 0-9.e]|nan|inf|min|max")


@pytest.fixture
def whole(hill: DerivePark) -> DerivePark:
    return explained_park(hill)


def published(hill: DerivePark) -> list[dict[str, Any]]:
    with transaction(hill.connection):
        cursor = hill.connection.execute(
            "SELECT boundary, indicator, grain, start, value, reason FROM smartpark.indicator"
            " WHERE superseded_at IS NULL ORDER BY grain, indicator, boundary, start"
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def is_asked(row: dict[str, Any]) -> bool:
    """One hour, the days that were derived, and of months and years those of the year."""
    if row["grain"] == "hour":
        return row["start"] == from_us(MIDNIGHT + 5 * HOUR)
    if row["grain"] == "day":
        return row["start"] in DERIVED
    local = to_us(row["start"]) + 8 * HOUR
    is_filled = row["indicator"] in PUBLISHED and row["grain"] == "month" and from_us(local).month != 11
    return from_us(local).year == 2026 and not is_filled


def evaluated(formula: str) -> float:
    """What a formula says, computed by somebody who knows nothing else."""
    text = formula.replace(" x ", " * ")
    assert not ARITHMETIC.sub("", text), formula
    return eval(text, {"__builtins__": {}, "max": max, "min": min, "nan": float("nan")})  # noqa: S307  checked above


def check_input(one: ExplainedInput, named: Any) -> None:
    if one.value is None:
        return
    if one.formula:
        assert evaluated(one.formula) == one.value, (named, one.name)
    elif one.figure is not None:
        assert one.figure.value == one.value, (named, one.name)
        assert all((one.figure.entered_by, one.figure.recorded_at, one.figure.source_document)), named
    elif one.explanation is not None and one.explanation.is_whole:
        check(one.explanation, (*named, one.name))
        assert abs(one.explanation.value or 0.0) == abs(one.value), (named, one.name)
    else:
        # Nothing is behind it but what it says: land of the catalogue, days of a month, no claim.
        assert one.note or one.number is not None, (named, one.name)
    for inner in one.inputs:
        check_input(inner, (*named, one.name))


def check(found: Explanation, named: Any) -> None:
    """What is listed gives the number again, and everything it is made of in turn."""
    assert found.is_whole, named
    if found.value is not None and not (found.inputs and not found.terms):
        assert found.added_up() == found.value, named
    if found.above and found.denominator is not None and found.value is not None:
        assert in_order(one.value or 0.0 for one in found.above) == found.numerator, named
        assert in_order(one.value or 0.0 for one in found.below) == found.denominator, named
    for term in found.terms:
        if term.amount is not None:
            assert term.amount * term.weight == term.contribution, named
        if found.tariff is not None and term.amount is not None:
            assert in_order(q.amount for q in term.quarters if q.amount is not None) == term.amount, named
    for one in (*found.above, *found.below, *found.inputs):
        check_input(one, named)
    for part in found.parts:
        if part.explanation is not None and from_us(part.start_us) in DERIVED:
            check(part.explanation, (*named, part.start_us))
            assert part.explanation.value == part.value, named


def asked(row: dict[str, Any]) -> Question:
    return Question(row["indicator"], "hill", period_containing(row["start"], Grain(row["grain"])), row["boundary"])


def test_every_code_at_every_grain_and_boundary_is_explained_and_adds_up(whole: DerivePark):
    sources = Sources(whole.connection)
    seen, strange = defaultdict[str, set[tuple[str, str]]](set), set[str]()
    with transaction(whole.connection):
        for row in filter(is_asked, published(whole)):
            named = (row["indicator"], row["grain"], row["boundary"])
            found = explain(sources, asked(row)).explanation
            assert found.differences == (), named
            assert found.value == row["value"], named
            check(found, named)
            strange |= set(untold(row["reason"]))
            if row["value"] is not None:
                seen[row["indicator"]].add((row["grain"], row["boundary"].partition("/")[0]))
    assert {code for code in NOT_FROM_GAUGES if not seen[code]} == set()
    assert strange == set(), "reasons that have no Chinese words"
    for code in ("comprehensive_energy", "carbon_location", "so2_by_fuel"):
        assert {(grain, kind) for grain in ("hour", "day", "month", "year") for kind in KINDS} <= seen[code]
    for code in ("energy_per_output", "tax_per_mu", "green_power_share", "carbon_market", "floor_area_ratio"):
        assert {(grain, kind) for grain in ("month", "year") for kind in KINDS} <= seen[code], code
    for code in ("electricity_peak", "electricity_valley"):
        assert {(g, kind) for g in ("day", "month", "year") for kind in ("park", "enterprise")} <= seen[code]
    for code in ("energy_budget_pace", "carbon_budget_forecast", "energy_budget_level"):
        assert {("month", kind) for kind in KINDS} <= seen[code], code


KINDS = ("park", "sub_park", "enterprise")


def november(whole: DerivePark, indicator: str, depth: Depth, boundary: str = "park", grain: Grain = Grain.MONTH):
    period = period_containing(from_us(MIDNIGHT), grain)
    with transaction(whole.connection):
        return explain(Sources(whole.connection), Question(indicator, "hill", period, boundary), depth)


def meters(found: Explanation) -> set[str]:
    """Everything that the derivation ends at."""
    names = {term.meter for term in found.terms}
    for part in found.parts:
        names |= set() if part.explanation is None else meters(part.explanation)
    for one in (*found.above, *found.below, *found.inputs):
        names |= _meters_behind(one)
    return names


def _meters_behind(one: ExplainedInput) -> set[str]:
    inner = set[str]().union(*map(_meters_behind, one.inputs))
    return inner | (set() if one.explanation is None else meters(one.explanation))


RATIOS_OF = (
    ("energy_per_value_added", "enterprise/E1"),
    ("green_power_share", "park"),
    ("energy_budget_pace", "park"),
    ("carbon_per_energy_zero_carbon", "park"),
    ("carbon_market", "park"),
    ("electrification_rate", "sub_park/south"),
)


def test_a_derivation_is_told_down_to_meters_figures_hours_and_days(whole: DerivePark):
    for indicator, boundary in RATIOS_OF:
        _goes_down_to_meters_and_to_who_entered_what(whole, indicator, boundary)
    _a_period_of_the_tariff_shows_its_plan_its_hours_and_its_quarter_hours(whole)
    _a_year_is_told_to_its_days_and_whole_only_when_asked(whole)
    _a_corrected_figure_is_a_difference_until_derive_has_seen_it(whole)


def _goes_down_to_meters_and_to_who_entered_what(whole: DerivePark, indicator: str, boundary: str) -> None:
    answer = november(whole, indicator, WHOLE, boundary)
    check(answer.explanation, (indicator,))
    assert any(name.startswith("hill/") for name in meters(answer.explanation)), indicator
    english, chinese = told(answer, chinese=False), told(answer, chinese=True)
    assert "active_energy_import" in english
    assert "not taken apart" in english  # of the days that were published without readings
    if indicator != "electrification_rate":
        assert '"return of 2026' in english, indicator
        assert "by Chen on 2027-01-05 08:00, revision 1" in english
        assert "Chen 于 2027-01-05 08:00 填报" in chinese


def _a_period_of_the_tariff_shows_its_plan_its_hours_and_its_quarter_hours(whole: DerivePark) -> None:
    answer = november(whole, "electricity_peak", LISTED, grain=Grain.DAY)
    tariff = answer.explanation.tariff
    assert tariff is not None
    assert (tariff.plan, tariff.why, tariff.version) == ("fujian-agency", "default", "fujian-2023-8")
    assert tariff.spans == ("10:00-12:00", "15:00-20:00", "21:00-22:00")
    (term,) = answer.explanation.terms
    assert (term.meter, len(term.quarters)) == ("hill/M0/active_energy_import", 32)
    english, chinese = told(answer, chinese=False), told(answer, chinese=True)
    assert "10:00-12:00, 15:00-20:00, 21:00-22:00" in english
    assert tariff.source in english
    assert "该省代理购电的默认方案" in chinese
    assert repr(term.quarters[0].amount) in english
    out = answer_out(answer)
    assert out.tariff is not None
    assert in_order(one.amount or 0.0 for one in out.terms[0].quarters) == out.terms[0].amount


def _a_year_is_told_to_its_days_and_whole_only_when_asked(whole: DerivePark) -> None:
    listed = november(whole, "carbon_scope2", Depth(WHOLE.levels, days=False), grain=Grain.YEAR).explanation
    month = next(p.explanation for p in listed.parts if _is_november(p.start_us))
    assert month is not None
    assert len(month.parts) == 30
    assert all(part.explanation is None for part in month.parts)


def _is_november(start_us: int) -> bool:
    return from_us(start_us + 8 * HOUR).month == 11


def _a_corrected_figure_is_a_difference_until_derive_has_seen_it(whole: DerivePark) -> None:
    given = figure(FigureKind.TAX, 4321.0, "2026-11", "park", "")
    record_figures(whole.connection, [given], at=from_us(NOW))
    answer = november(whole, "tax_per_mu", LISTED)
    assert any("published is" in line for line in answer.explanation.differences)
    while RatioDeriver().step(whole.connection, now_us=NOW).indicators_published:
        pass
    answer = november(whole, "tax_per_mu", LISTED)
    assert answer.explanation.differences == ()
    assert answer_out(answer).above[0].figure is not None

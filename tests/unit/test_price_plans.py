"""Price plans: hours that cover each day exactly once, dated versions, and prices without a default."""

import copy
import tomllib
from datetime import date
from pathlib import Path

import pytest
from smartpark.dated import RuleNotFoundError
from smartpark.errors import InvalidFileError
from smartpark.price_plans import PlanReason, PricePlans, builtin_price_plans, load_price_plans
from smartpark.tariff_hours import DAY_KINDS, QUARTERS, TARIFF_PERIODS, TariffPeriod
from smartpark.tomlfile import parse_model
from smartpark.workdays import DayKind

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "tariff.toml").read_text(encoding="utf-8"))
PLANS = builtin_price_plans()
OWN = {
    "version": "1",
    "plan": [
        {
            "code": "own",
            "name": "自定",
            "name_en": "own",
            "purchase": "market",
            "version": [
                {
                    "id": "own-2026",
                    "valid_from": date(2026, 1, 1),
                    "source": "contract",
                    "grade": "P",
                    "price": {"peak": 0.9, "valley": 0.3},
                    "hours": [
                        {"period": "peak", "spans": ["08:00-22:00"]},
                        {"period": "valley", "spans": ["00:00-08:00", "22:00-24:00"]},
                    ],
                }
            ],
        }
    ],
}


def own(**changes):
    """A file of one plan, its only version changed."""
    document = copy.deepcopy(OWN)
    document["plan"][0]["version"][0].update(changes)
    return document


def refusal(document):
    with pytest.raises(InvalidFileError) as refused:
        parse_model(document, PricePlans, file="plans.toml")
    return {problem.key: problem.message for problem in refused.value.problems}


def plan_of(code):
    return PLANS.choose(code=code, region="350121").plan


# --- Fujian -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["hours"], ids=lambda example: example["name"])
def test_hours_of_a_day_are_those_of_the_notice(example):
    version = plan_of(example["plan"]).version_on(example["day"])
    for day in version.table()[example["day"].month - 1]:
        hours = {period.value: day.count(code) / 4 for code, period in enumerate(TARIFF_PERIODS)}
        assert hours == example["hours"]
    assert version.grade == example["grade"]


@pytest.mark.parametrize("example", GOLDEN["prices"], ids=lambda example: example["name"])
def test_prices_follow_from_the_flat_price(example):
    version = plan_of(example["plan"]).version_on(date(2026, 11, 1))
    expected = [example["yuan_per_kwh"][period] for period in TARIFF_PERIODS]
    assert version.prices(flat_price=example["flat_price"]) == pytest.approx(expected)


def test_it_is_the_default_of_agency_purchase_in_fujian_and_nowhere_else():
    choice = PLANS.choose(code=None, region="350121")
    assert (choice.plan.code, choice.reason) == ("fujian-agency", PlanReason.DEFAULT)
    assert PLANS.choose(code="fujian-agency", region="440300").reason is PlanReason.NAMED
    with pytest.raises(RuleNotFoundError, match="enter price_plan in the contract"):
        PLANS.choose(code=None, region="440300")
    with pytest.raises(RuleNotFoundError, match="no price plan has the code 'fujan'; there are: fujian-agency"):
        PLANS.choose(code="fujan", region="350121")


def test_there_is_no_default_price_and_the_error_says_what_to_enter():
    version = plan_of("fujian-agency").version_on(date(2026, 11, 1))
    assert (version.demand_price, version.capacity_price, version.fund_price) == (None, None, None)
    with pytest.raises(RuleNotFoundError, match=r"enter flat_price \[yuan/kWh\] of the month"):
        version.prices()


def test_days_before_the_first_version_have_none():
    with pytest.raises(RuleNotFoundError, match="no version of price plan fujian-agency is in force on 2020-01-01"):
        plan_of("fujian-agency").version_on(date(2020, 1, 1))


# --- plans of one's own -------------------------------------------------------------------------------------------


def test_absolute_prices_need_no_flat_price():
    version = parse_model(own(fixed_price=0.1), PricePlans, file="plans.toml").plan[0].version[0]
    assert version.prices() == pytest.approx((0.1, 1.0, 0.1, 0.4))
    assert not version.uses_day_kinds


def test_hours_may_differ_by_month_and_kind_of_day():
    hours = [
        {"period": "valley", "spans": ["00:00-24:00"], "days": ["holiday"]},
        {"period": "peak", "spans": ["08:00-22:00"], "days": ["workday", "weekend", "make_up_day"]},
        {
            "period": "valley",
            "spans": ["00:00-08:00", "22:00-24:00"],
            "days": ["workday", "weekend", "make_up_day"],
        },
        {"period": "sharp", "spans": ["19:00-20:15"], "months": [12], "overrides": True},
    ]
    document = own(hours=hours, price={"sharp": 1.2, "peak": 0.9, "valley": 0.3})
    version = parse_model(document, PricePlans, file="plans.toml").plan[0].version[0]
    assert version.uses_day_kinds
    november, december = version.table()[10], version.table()[11]
    holiday, workday = DAY_KINDS.index(DayKind.HOLIDAY), DAY_KINDS.index(DayKind.WORKDAY)
    valley, sharp = TARIFF_PERIODS.index(TariffPeriod.VALLEY), TARIFF_PERIODS.index(TariffPeriod.SHARP)
    assert november[holiday] == (valley,) * QUARTERS
    assert [q for q in range(QUARTERS) if december[workday][q] == sharp] == [76, 77, 78, 79, 80]


def test_a_gap_and_an_overlap_are_both_told_with_time_and_days():
    hours = [
        {"period": "peak", "spans": ["08:00-22:00"]},
        {"period": "valley", "spans": ["00:00-09:00"]},
        {"period": "peak", "spans": ["22:30-24:00"], "days": ["holiday"]},
    ]
    found = refusal(own(hours=hours))
    (message,) = found.values()
    assert "08:00-09:00 belongs to peak and valley (month 1, workday and 47 more)" in message
    assert "22:00-22:30 belongs to no period (month 1, holiday and 11 more)" in message
    assert "22:00-24:00 belongs to no period (month 1, workday and 35 more)" in message
    assert list(found) == ["plan[own].version[own-2026]"]


def test_two_overriding_hours_at_once_are_refused():
    hours = [
        {"period": "flat", "spans": ["00:00-24:00"]},
        {"period": "sharp", "spans": ["10:00-12:00"], "overrides": True},
        {"period": "valley", "spans": ["11:00-13:00"], "overrides": True},
    ]
    (message,) = refusal(own(hours=hours, price={"sharp": 1, "flat": 1, "valley": 1})).values()
    assert "11:00-12:00 is overridden twice, by sharp and valley" in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": {"peak": 0.9}}, "no price for valley"),
        ({"relative": {"peak": 1.5, "valley": 0.5}}, "either relative or price"),
        ({"price": None}, "either relative or price"),
        ({"price": None, "relative": {"peak": 1.5, "valley": 0.5, "flat": 0.9}}, "relative price of flat is 0.9"),
        ({"flat_price": 0.6}, "flat_price belongs to relative prices"),
    ],
)
def test_prices_that_do_not_fit_are_refused(changes, message):
    assert message in refusal(own(**changes))["plan[own].version[own-2026]"]


def test_every_problem_of_a_file_is_told_at_once_by_key():
    document = own(hours=[{"period": "dear", "spans": ["8-22"]}, {"period": "peak", "spans": ["22:00-08:00"]}])
    document["plan"].append(own(price={"peak": 0.9})["plan"][0] | {"code": "second", "colour": "red"})
    found = refusal(document)
    assert found["plan[second].colour"].startswith("unknown key")
    assert "no price for valley" in found["plan[second].version[own-2026]"]
    assert "is not a span of time in quarters of an hour" in found["plan[own].version[own-2026].hours[0].spans[0]"]
    assert "write two spans for one across midnight" in found["plan[own].version[own-2026].hours[1].spans[0]"]
    assert "dear" in found["plan[own].version[own-2026].hours[0].period"]


def test_versions_and_plans_that_cannot_be_told_apart_are_refused():
    document = own()
    document["plan"][0]["version"] *= 2
    assert "several versions start on 2026-01-01" in refusal(document)["plan[own]"]
    twice = own()
    twice["plan"] *= 2
    assert "plan codes used twice: own" in refusal(twice)[""]


FILE = """
version = "2027"
[[plan]]
code = "{code}"
name = "自定"
name_en = "own"
purchase = "market"
  [[plan.version]]
  id = "own-2027"
  valid_from = 2027-01-01
  source = "contract"
  grade = "P"
  price = {{ flat = 0.6 }}
    [[plan.version.hours]]
    period = "flat"
    spans = ["00:00-24:00"]
"""


def test_a_file_of_ones_own_stands_beside_the_built_in_plans(tmp_path):
    file = tmp_path / "plans.toml"
    file.write_text(FILE.format(code="own"))
    plans = load_price_plans(file)
    assert [plan.code for plan in plans.plan] == [*(plan.code for plan in PLANS.plan), "own"]
    assert plans.choose(code="own", region="350121").plan.version_on(date(2027, 5, 1)).id == "own-2027"
    file.write_text(FILE.format(code="fujian-agency"))
    with pytest.raises(InvalidFileError, match="is the code of a plan that comes with the platform"):
        load_price_plans(file)

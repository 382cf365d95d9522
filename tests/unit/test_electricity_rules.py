"""Rules of demand and its charges: dated rows, and what is wrong with those that do not hold together."""

from datetime import date

import pytest
from smartpark.dated import RuleNotFoundError
from smartpark.electricity_rules import (
    DemandRule,
    ElectricityRules,
    LoadBands,
    PowerFactorTable,
    builtin_electricity_rules,
)
from smartpark.errors import InvalidFileError
from smartpark.tomlfile import parse_model

RULES = builtin_electricity_rules()
ROW = {"id": "x", "valid_from": date(2026, 1, 1), "source": "nowhere", "grade": "S"}


def test_every_row_has_a_source_and_a_grade():
    rows = [*RULES.demand, *RULES.basic_charge, *RULES.load_bands, *RULES.load_judgement, *RULES.power_factor]
    assert len(rows) >= 8
    assert all(row.source and row.grade for row in rows)


def test_the_discount_for_high_use_starts_when_its_document_does():
    assert RULES.basic_charge_on(date(2023, 5, 31)).discount_from_kwh_per_kva is None
    assert RULES.basic_charge_on(date(2023, 6, 1)).discount_from_kwh_per_kva == 260
    with pytest.raises(RuleNotFoundError, match="no rule for the basic charge is in force on 2010-01-01"):
        RULES.basic_charge_on(date(2010, 1, 1))


def test_the_newest_of_the_rows_in_force_holds():
    newer = RULES.demand[0].model_copy(update={"id": "demand:next", "valid_from": date(2027, 1, 1)})
    rules = RULES.model_copy(update={"demand": (newer, *RULES.demand)})
    assert rules.demand_on(date(2026, 12, 31)).id == RULES.demand[0].id
    assert rules.demand_on(date(2027, 1, 1)).id == "demand:next"


def test_a_standard_that_does_not_exist_is_told_with_those_that_do():
    with pytest.raises(RuleNotFoundError, match=r"0\.95; there are: 0\.80, 0\.85, 0\.90"):
        RULES.power_factor_on("0.95", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("model", "wrong", "message"),
    [
        (DemandRule, {"period_min": 15, "slip_min": 1, "valid_min": 16}, "valid_min 16 is more"),
        (DemandRule, {"period_min": 15, "slip_min": 4, "valid_min": 13}, "slip_min 4 does not divide"),
        (
            LoadBands,
            RULES.load_bands[0].model_dump(exclude=set(ROW)) | {"watch_from": 0.5},
            "do not ascend",
        ),
        (
            PowerFactorTable,
            {
                "standard_h": 90,
                "applies_to": "all",
                "applies_to_grade": "S",
                "segment": [{"from_h": 10, "at_from": 0, "step": 0}],
            },
            "must ascend from 0",
        ),
        (
            DemandRule,
            {"period_min": 15, "slip_min": 1, "valid_min": 13, "valid_to": date(2025, 1, 1)},
            "valid_to 2025-01-01 is not after",
        ),
    ],
)
def test_a_row_that_does_not_hold_together_is_refused(model, wrong, message):
    with pytest.raises(InvalidFileError, match=message):
        parse_model(ROW | wrong, model, file="rules.toml")


def test_two_rows_of_one_id_are_refused():
    twice = RULES.model_dump() | {"demand": [RULES.demand[0].model_dump()] * 2}
    with pytest.raises(InvalidFileError, match="ids used twice: demand:15-1"):
        parse_model(twice, ElectricityRules, file="rules.toml")

"""Factors are dated rows; a lookup says why it chose one, or raises."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from smartpark.errors import FactorNotFoundError, InvalidFileError
from smartpark.factors import Factor, FactorKind, FactorSet, Reason, builtin_factors, choose_factor
from smartpark.measurands import Carrier
from smartpark.tomlfile import parse_model

CO2, TCE = FactorKind.CARBON_DIOXIDE, FactorKind.COAL_EQUIVALENT


def a_factor(**changes):
    row = {
        "id": "a",
        "kind": CO2,
        "carrier": Carrier.ELECTRICITY,
        "scope": "provincial:FJ",
        "value": 0.5,
        "unit": "kg/kWh",
        "valid_from": date(2024, 1, 1),
        "source": "here",
        "grade": "C",
    }
    return Factor.model_validate(row | changes)


def of_fujian(on):
    rows = builtin_factors().factor
    return choose_factor(rows, kind=CO2, carrier=Carrier.ELECTRICITY, scope="provincial:FJ", on=on)


@pytest.mark.parametrize(
    ("on", "value", "reason"),
    [
        (date(2021, 12, 31), 0.4711, Reason.IN_FORCE),
        (date(2022, 1, 1), 0.4092, Reason.IN_FORCE),
        (date(2023, 6, 1), 0.4211, Reason.IN_FORCE),
        (date(2026, 11, 22), 0.4211, Reason.LATEST_PUBLISHED),
    ],
)
def test_the_electricity_factor_of_fujian_follows_the_accounting_year(on, value, reason):
    choice = of_fujian(on)
    assert (choice.value, choice.reason) == (value, reason)


def test_a_day_before_every_row_raises_and_lists_what_there_is():
    with pytest.raises(FactorNotFoundError, match=r"2020-06-01; there is: .*FJ:2021 from 2021-01-01"):
        of_fujian(date(2020, 6, 1))


def test_a_scope_nobody_published_raises_instead_of_borrowing_another():
    with pytest.raises(FactorNotFoundError, match=r"provincial:XX.*none at all"):
        choose_factor(
            builtin_factors().factor,
            kind=CO2,
            carrier=Carrier.ELECTRICITY,
            scope="provincial:XX",
            on=date(2024, 1, 1),
        )


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, unique=True), st.dates())
def test_the_newest_row_that_has_begun_is_chosen(starts, on):
    rows = [a_factor(id=str(start), valid_from=start) for start in starts]
    begun = [start for start in starts if start <= on]
    if begun:
        chosen = choose_factor(rows, kind=CO2, carrier=Carrier.ELECTRICITY, scope="provincial:FJ", on=on)
        assert chosen.factor.valid_from == max(begun)
    else:
        with pytest.raises(FactorNotFoundError):
            choose_factor(rows, kind=CO2, carrier=Carrier.ELECTRICITY, scope="provincial:FJ", on=on)


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(-3, 3))
def test_a_row_does_not_hold_on_the_day_of_its_end(end, shift):
    row = a_factor(valid_from=end - timedelta(days=30), valid_to=end)
    on = end + timedelta(days=shift)
    lookup = {"kind": CO2, "carrier": Carrier.ELECTRICITY, "scope": "provincial:FJ", "on": on}
    if on < end:
        assert choose_factor([row], **lookup).factor is row
    else:
        with pytest.raises(FactorNotFoundError):
            choose_factor([row], **lookup)


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="is not after valid_from"):
        a_factor(valid_to=date(2023, 1, 1))


def test_ids_used_twice_are_named():
    row = a_factor().model_dump()
    with pytest.raises(InvalidFileError, match="used twice: a"):
        parse_model({"version": "1", "factor": [row, row]}, FactorSet, file="f.toml")


def test_carbon_of_fuels_is_heat_value_times_carbon_times_oxidation():
    # Defaults of the accounting guideline: GJ per unit, tC per GJ, oxidation share; 44/12 kg CO2 per kg C.
    defaults = {
        "guideline-other-industry:natural_gas": (389.31e-4, 0.0153, 0.99),
        "guideline-other-industry:diesel": (43.33, 0.0202, 0.98),
        "guideline-other-industry:bituminous": (23.204, 0.02618, 0.93),
    }
    rows = {row.id: row for row in builtin_factors().factor}
    for name, (heat, carbon, oxidation) in defaults.items():
        assert rows[name].value == pytest.approx(1000 * heat * carbon * oxidation * 44 / 12, rel=1e-6), name


def test_every_builtin_row_states_its_source_and_speaks_the_measurands_units():
    for row in builtin_factors().factor:
        assert len(row.source) > 10, row.id
        numerator, _, denominator = row.unit.partition("/")
        assert numerator == {TCE: "kgce", CO2: "kg"}[row.kind], row.id
        assert denominator in {"kWh", "GJ", "m3", "t"}, row.id

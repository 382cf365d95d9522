"""Factors are dated rows; a lookup says why it chose one, or raises."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from smartpark import factor_kinds
from smartpark.errors import FactorNotFoundError, InvalidFileError
from smartpark.factor_kinds import UNITS
from smartpark.factors import (
    Factor,
    FactorKind,
    FactorSet,
    Reason,
    builtin_factors,
    choose_factor,
    digest_of,
    parse_factor_set,
)
from smartpark.measurands import Carrier
from smartpark.tomlfile import parse_model

CO2 = FactorKind.CARBON_DIOXIDE


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


def test_every_builtin_row_states_its_source_and_speaks_the_measurands_units():
    for row in builtin_factors().factor:
        assert len(row.source) > 10, row.id
        assert row.unit in {internal for internal, _ in UNITS[row.kind].values()}, row.id
        assert row.per in {"kWh", "GJ", "m3", "t", ""}, row.id


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (389.31, "GJ/10^4 Nm3"),
        (389.31, "GJ/10^4 m3"),
        (38.931, "MJ/m3"),
        (38931, "kJ/Nm3"),
        (0.038931, "GJ/m3"),
        (3893.1, "TJ/10^8 m3"),
    ],
)
def test_one_calorific_value_of_gas_in_every_spelling_is_one_row(value, unit):
    row = a_factor(kind="net_calorific_value", carrier="natural_gas", scope="table", value=value, unit=unit)
    assert row.unit == "GJ/m3"
    assert row.value == pytest.approx(0.038931, rel=1e-12)
    assert row.as_stated == ("" if unit == "GJ/m3" else f"{value} {unit}")


@pytest.mark.parametrize(
    ("kind", "value", "unit", "internal"),
    [
        ("coal_equivalent", 0.7143, "kgce/kg", (714.3, "kgce/t")),
        ("coal_equivalent", 0.03412, "kgce/MJ", (34.12, "kgce/GJ")),
        ("coal_equivalent_primary", 285.0, "gce/kWh", (0.285, "kgce/kWh")),
        ("carbon_dioxide", 0.4211, "t/MWh", (0.4211, "kg/kWh")),
        ("carbon_dioxide", 0.11, "t/GJ", (110.0, "kg/GJ")),
        ("carbon_dioxide", 21.6219, "t/10^4 Nm3", (2.16219, "kg/m3")),
        ("carbon_content", 15.242055, "t/TJ", (0.015242055, "t/GJ")),
        ("net_calorific_value", 20934, "kJ/kg", (20.934, "GJ/t")),
        ("oxidation_factor", 99, "%", (0.99, "1")),
        ("sulfur_content", 0.6, "%", (6.0, "kg/t")),
        ("sulfur_content", 100, "mg/m3", (1e-4, "kg/m3")),
        ("reference_enthalpy", 83.74, "kJ/kg", (0.08374, "GJ/t")),
    ],
)
def test_what_documents_say_becomes_the_internal_unit(kind, value, unit, internal):
    row = a_factor(kind=kind, value=value, unit=unit, data_year=2024)
    assert (row.value, row.unit) == (pytest.approx(internal[0], rel=1e-12), internal[1])


def test_a_unit_nobody_knows_is_refused_with_those_that_are():
    with pytest.raises(ValidationError, match=r"'BTU/lb' is no unit of net_calorific_value; there are: .*GJ/t"):
        a_factor(kind="net_calorific_value", unit="BTU/lb")


def test_measured_goes_before_the_suppliers_and_that_before_the_table():
    ncv = {"kind": "net_calorific_value", "carrier": "raw_coal", "unit": "GJ/t"}
    table = a_factor(**ncv, id="t", scope="table", value=20.9)
    supplier = a_factor(**ncv, id="s", scope="supplier", park="hill", value=21.5)
    measured = a_factor(**ncv, id="m", scope="measured", park="hill", value=22.1, valid_from=date(2024, 6, 1))
    boiler = a_factor(**ncv, id="b", scope="measured", park="hill", device="B1", value=19.0)
    rows = [table, boiler, measured, supplier]

    def found(on, **whose):
        order = ("measured", "supplier", "table")
        choice = choose_factor(
            rows, kind=FactorKind.NET_CALORIFIC_VALUE, carrier=Carrier.RAW_COAL, scope=order, on=on, **whose
        )
        return choice.factor.id, choice.reason, choice.passed_over

    late, early = date(2024, 7, 1), date(2024, 2, 1)
    assert found(late, park="hill") == ("m", Reason.MEASURED, ())
    assert found(early, park="hill") == ("s", Reason.SUPPLIER, ("measured",))
    assert found(late, park="valley") == ("t", Reason.IN_FORCE, ("measured", "supplier"))
    assert found(late, park="hill", device="B1")[0] == "b"


def test_a_correction_takes_the_place_of_the_row_it_supersedes():
    wrong = a_factor(id="wrong", value=0.6)
    right = a_factor(id="right", value=0.5, supersedes="wrong", published=date(2024, 9, 1))
    lookup = {"kind": CO2, "carrier": Carrier.ELECTRICITY, "scope": "provincial:FJ", "on": date(2024, 2, 1)}
    assert choose_factor([right, wrong], **lookup).factor is right
    # As one knew it before the correction came.
    assert choose_factor([right, wrong], **lookup, as_of=date(2024, 8, 31)).factor is wrong


@pytest.mark.parametrize(
    ("as_of", "data_year", "reason"),
    [
        (date(2024, 5, 1), 2021, None),
        (date(2025, 1, 1), 2022, Reason.IN_FORCE),
        (date(2025, 12, 31), 2022, Reason.IN_FORCE),
        (None, 2022, Reason.IN_FORCE),
    ],
)
def test_a_number_can_be_computed_as_one_knew_it_on_a_day(as_of, data_year, reason):
    look = {"kind": CO2, "carrier": Carrier.ELECTRICITY, "scope": "provincial:FJ", "on": date(2022, 7, 1)}
    if reason is None:
        # The row of 2021 ends with 2021, and that of 2022 was not published: nothing covers the day.
        with pytest.raises(FactorNotFoundError, match="FJ:2021"):
            choose_factor(builtin_factors().factor, **look, as_of=as_of)
        return
    choice = choose_factor(builtin_factors().factor, **look, as_of=as_of)
    assert (choice.factor.data_year, choice.reason) == (data_year, reason)


@pytest.mark.parametrize(
    ("year", "data_year", "value"), [(2023, 2021, 0.4711), (2024, 2022, 0.4092), (2025, 2023, 0.4211)]
)
def test_a_reporting_practice_names_the_data_year_of_an_accounting_year(year, data_year, value):
    choice = builtin_factors().choose(
        CO2, Carrier.ELECTRICITY, "provincial:FJ", date(year, 3, 1), practice="two-years-before"
    )
    assert (choice.factor.data_year, choice.value, choice.reason) == (data_year, value, Reason.DATA_YEAR)


def test_a_practice_that_says_nothing_of_a_year_is_no_guess():
    with pytest.raises(FactorNotFoundError, match=r"names no data year for 2030; it has: 2023→2021"):
        builtin_factors().choose(
            CO2, Carrier.ELECTRICITY, "provincial:FJ", date(2030, 1, 1), practice="two-years-before"
        )


def test_the_primary_coefficient_has_no_default_and_the_error_says_what_to_enter():
    with pytest.raises(
        FactorNotFoundError, match=r"none at all.*enter one with its date, value.*smartpark factors load"
    ):
        builtin_factors().choose(FactorKind.COAL_EQUIVALENT_PRIMARY, Carrier.ELECTRICITY, "table", date(2025, 1, 1))


@pytest.mark.parametrize("value", [0.404, 0.33])
def test_obsolete_primary_coefficients_are_refused_unless_they_are_history(value):
    row = {"kind": "coal_equivalent_primary", "unit": "kgce/kWh", "value": value, "data_year": 2024}
    with pytest.raises(ValidationError, match="is an obsolete convention"):
        a_factor(**row)
    kept = a_factor(**row, historical=True)
    lookup = {
        "kind": FactorKind.COAL_EQUIVALENT_PRIMARY,
        "carrier": Carrier.ELECTRICITY,
        "scope": "provincial:FJ",
        "on": date(2024, 2, 1),
    }
    with pytest.raises(FactorNotFoundError):
        choose_factor([kept], **lookup)
    assert choose_factor([kept], **lookup, historical=True).factor is kept


def test_a_primary_coefficient_without_a_year_is_refused():
    with pytest.raises(ValidationError, match="give it as `data_year`"):
        a_factor(kind="coal_equivalent_primary", unit="kgce/kWh")


def test_what_was_measured_belongs_to_a_park():
    with pytest.raises(ValidationError, match="give its code as `park`"):
        a_factor(scope="measured")


def test_shares_are_at_most_the_whole():
    with pytest.raises(ValidationError, match="more than the whole"):
        a_factor(kind="oxidation_factor", unit="1", value=99)


def test_a_table_gives_its_head_to_each_row_and_a_row_may_say_otherwise():
    head = {
        "kind": "carbon_dioxide",
        "scope": "national",
        "valid_from": date(2024, 1, 1),
        "source": "here",
        "grade": "S",
    }
    rows = [
        {"id": "a", "carrier": "electricity", "value": 0.5, "unit": "kg/kWh"},
        {"id": "b", "carrier": "heat", "value": 0.1, "unit": "t/GJ", "grade": "M60"},
    ]
    found = parse_factor_set({"version": "1", "table": [{**head, "row": rows}]}, file="f.toml").factor
    assert [(f.id, f.scope, f.grade) for f in found] == [("a", "national", "S"), ("b", "national", "M60")]


def test_a_wrong_row_is_named_with_its_key():
    document = {"version": "1", "table": [{"kind": "carbon_dioxide", "row": [{"id": "b", "grade": "X9"}]}]}
    with pytest.raises(InvalidFileError) as refused:
        parse_factor_set(document, file="f.toml")
    keys = {problem.key for problem in refused.value.problems}
    assert {"factor[b].grade", "factor[b].value", "factor[b].source"} <= keys


@given(st.randoms(use_true_random=False))
def test_the_digest_is_that_of_the_rows_whatever_their_order(random):
    rows = list(builtin_factors().factor[:20])
    shuffled = random.sample(rows, len(rows))
    assert digest_of(shuffled) == digest_of(rows)
    assert digest_of(rows[1:]) != digest_of(rows)


def test_media_and_materials_say_so():
    kinds = {row.id: row.counts_as for row in builtin_factors().factor}
    assert kinds["gbt2589-2020:water"] == "medium"
    assert kinds["gbt2589-2020:compressed_air"] == "medium"
    assert kinds["ipcc-2006:limestone"] == "material"
    assert kinds["gbt2589-2020:raw_coal"] == "energy"


def test_every_builtin_row_has_a_known_uncertainty():
    factors = builtin_factors()
    assert all(factors.half_width(row) >= 0 for row in factors.factor)
    assert factors.half_width(a_factor(uncertainty=0.3)) == 0.3
    assert factors.half_width(a_factor(grade="M75")) == 0.07


def test_other_rows_keep_every_rule():
    factors = builtin_factors()
    other = factors.with_rows(factors.factor[:5])
    assert len(other.factor) == 5
    for name in set(FactorSet.model_fields) - {"factor", "version"}:
        assert getattr(other, name) == getattr(factors, name), name
    assert other.version == f"{factors.version}.{digest_of(factors.factor[:5])}"
    # A lookup sees the other rows, whatever was looked up before.
    with pytest.raises(FactorNotFoundError):
        other.choose(CO2, Carrier.ELECTRICITY, "national", date(2024, 1, 1))


def test_the_examples_of_the_units_hold():
    assert doctest.testmod(factor_kinds).failed == 0

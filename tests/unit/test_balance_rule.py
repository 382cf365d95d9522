"""Which points of a device count in its park's balance, and with which sign."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.balance_rule import Measures, signs_at_boundary
from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand

POWER, IMPORT, EXPORT = Measurand.ACTIVE_POWER, Measurand.ACTIVE_ENERGY_IMPORT, Measurand.ACTIVE_ENERGY_EXPORT
PHASES = ("active_power_l1", "active_power_l2", "active_power_l3")


def signs(role, carrier, *measurands, internal_transfer=False):
    points = [Measures(m, m) for m in measurands]
    return signs_at_boundary(role, carrier, points, internal_transfer=internal_transfer)


@pytest.mark.parametrize(
    ("role", "carrier", "measurands", "expected"),
    [
        ("boundary", "electricity", (POWER, IMPORT, EXPORT), [1, 1, -1]),
        ("boundary", "electricity", (POWER, EXPORT), [1, -1]),
        ("generation", "photovoltaic", (POWER, IMPORT, EXPORT), [-1, -1, 1]),
        ("generation", "photovoltaic", (POWER, IMPORT), [1, 1]),
        ("generation", "electricity", (POWER, EXPORT), [-1, 1]),
        ("boundary", "natural_gas", (Measurand.GAS_VOLUME,), [1]),
        ("generation", "natural_gas", (Measurand.GAS_VOLUME, POWER), [0, 0]),
        ("boundary", "water", (Measurand.WATER_VOLUME,), [0]),
        ("boundary", "compressed_air", (Measurand.GAS_VOLUME, IMPORT), [0, 0]),
        ("boundary", "electricity", (Measurand.REACTIVE_ENERGY_IMPORT, Measurand.POWER_FACTOR), [0, 0]),
        ("distribution", "electricity", (POWER, IMPORT), [0, 0]),
        ("consumption", "electricity", (POWER, IMPORT), [0, 0]),
        ("none", "electricity", (POWER, IMPORT), [0, 0]),
    ],
)
def test_what_counts_and_with_which_sign(role, carrier, measurands, expected):
    assert signs(role, carrier, *measurands) == expected
    assert set(signs(role, carrier, *measurands, internal_transfer=True)) == {0}


def test_phases_count_where_there_is_no_total():
    phases = [Measures(code, POWER) for code in PHASES]
    total = Measures(POWER, POWER)
    assert signs_at_boundary("boundary", "electricity", phases, internal_transfer=False) == [1, 1, 1]
    assert signs_at_boundary("boundary", "electricity", [*phases, total], internal_transfer=False) == [0, 0, 0, 1]


@given(
    st.sampled_from(Role),
    st.sampled_from(Carrier),
    st.lists(st.sampled_from(Measurand), unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_devices_points_does_not_matter(role, carrier, measurands, random):
    shuffled = random.sample(measurands, len(measurands))
    one = dict(zip(measurands, signs(role, carrier, *measurands), strict=True))
    assert dict(zip(shuffled, signs(role, carrier, *shuffled), strict=True)) == one


def test_registers_of_phases_count_where_there_is_no_total():
    """As three-phase meters show them: a total, and each phase beside it."""
    registers = [Measures(f"{name}_{phase}", name) for name in (IMPORT, EXPORT) for phase in "abc"]
    totals = [Measures(IMPORT, IMPORT), Measures(EXPORT, EXPORT)]
    for role, ways in (("boundary", [1, -1]), ("generation", [-1, 1])):
        alone = signs_at_boundary(role, "electricity", registers, internal_transfer=False)
        assert alone == [way for way in ways for _ in "abc"]
        beside = signs_at_boundary(role, "electricity", [*registers, *totals], internal_transfer=False)
        assert beside == [0] * 6 + ways
    tariffs = [Measures(IMPORT, IMPORT), Measures("second_tariff", IMPORT)]
    assert signs_at_boundary("boundary", "electricity", tariffs, internal_transfer=False) == [1, 1]
    # Of a meter of several tariffs the total is their sum, whatever it counts.
    for name in (IMPORT, "gas_volume", "heat_energy"):
        for ends in (("t1", "t2", "t3", "t4"), ("sharp", "peak", "flat", "valley")):
            parts = [Measures(f"{name}_{end}", name) for end in ends]
            assert signs_at_boundary("boundary", "electricity", parts, internal_transfer=False) == [1] * 4
            whole = [*parts, Measures(name, name)]
            assert signs_at_boundary("boundary", "electricity", whole, internal_transfer=False) == [0, 0, 0, 0, 1]
    gone = [*registers[:3], Measures(IMPORT, IMPORT, is_retired=True)]
    assert signs_at_boundary("boundary", "electricity", gone, internal_transfer=False) == [1, 1, 1, 1]
    old = [Measures(one.code, one.measurand, is_retired=True) for one in [*registers[:3], totals[0]]]
    assert signs_at_boundary("boundary", "electricity", old, internal_transfer=False) == [0, 0, 0, 1]

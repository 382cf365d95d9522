"""The meter tree: residuals and verdicts, and that owners, losses and what nobody measures add up to the park."""

from dataclasses import replace

import numpy as np
import pytest
from accounting_cases import EXPORT, GRID, IMPORT, day, hill, point, statements, values
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand
from smartpark_analytics.balance import Verdict, meter_tree, residuals

ELECTRICITY = Carrier.ELECTRICITY


def meter(number: int, code: str, role: Role, parent: str | None = None, **more):
    return point(number, code, IMPORT, ELECTRICITY, role, parent_device=parent, **more)


@st.composite
def parks(draw):
    """A tree of meters with what is really used and lost at each; amounts follow from below."""
    points, true, owners = [], {}, {}
    feeders = draw(st.integers(1, 3))
    main, number = 0.0, 10
    for f in range(feeders):
        code, total = f"F{f}", 0.0
        for _ in range(draw(st.integers(0, 4))):
            number += 1
            owner = draw(st.sampled_from(["E1", "E2", None]))
            used = float(draw(st.integers(0, 1000)))
            points.append(meter(number, f"T{number}", Role.CONSUMPTION, code, enterprise=owner))
            true[number] = used
            total += used
            owners[owner] = owners.get(owner, 0.0) + used
        unmetered = float(draw(st.integers(0, 50)))
        points.append(meter(f + 2, code, Role.DISTRIBUTION, "M0"))
        true[f + 2] = total + unmetered
        has_tenants = any(p.parent_device == code for p in points)
        # A feeder without meters beneath it is an end of the tree.
        owners["rest" if has_tenants else "bare"] = (
            owners.get("rest" if has_tenants else "bare", 0.0) + true[f + 2] - total
        )
        main += true[f + 2]
    loss, sun = float(draw(st.integers(0, 30))), float(draw(st.integers(0, 300)))
    roof = point(9, "PV1", EXPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)
    true |= {1: main + loss - sun, 9: sun}
    expected = {
        "E1": owners.get("E1", 0.0),
        "E2": owners.get("E2", 0.0),
        "common": owners.get(None, 0.0) + owners.get("bare", 0.0),
        "rest": owners.get("rest", 0.0),
        "loss": loss,
    }
    return [replace(GRID), roof, *points], true, expected


@given(parks())
def test_what_is_published_of_a_tree_is_what_really_happened(park):
    points, true, expected = park
    accounts = hill(*points)
    series = day(accounts, {p: amount / 96 for p, amount in true.items()})
    found = values(accounts, series)
    total = 0.0
    for code in ("E1", "E2"):
        inside = values(accounts, series, f"enterprise/{code}").get("electricity_consumption", 0.0)
        assert inside == pytest.approx(expected[code], abs=1e-6)
        total += inside
    for indicator, name in (("common_use", "common"), ("unmetered_rest", "rest"), ("distribution_loss", "loss")):
        assert found.get(indicator, 0.0) == pytest.approx(expected[name], abs=1e-6), indicator
        total += found.get(indicator, 0.0)
    assert total == pytest.approx(found["electricity_consumption"], abs=1e-6)


@given(parks(), st.randoms(use_true_random=False))
def test_the_order_of_meters_does_not_matter(park, random):
    points, true, _ = park
    amounts = {p: amount / 96 for p, amount in true.items()}
    one, other = hill(*points), hill(*random.sample(points, len(points)))
    assert one == other
    assert values(one, day(one, amounts)) == values(other, day(other, dict(reversed(amounts.items()))))


@given(parks(), st.integers(-4, 6))
def test_scaling_every_meter_scales_every_number(park, exponent):
    points, true, _ = park
    accounts, scale = hill(*points), 2.0**exponent
    one = values(accounts, day(accounts, {p: amount / 96 for p, amount in true.items()}))
    other = values(accounts, day(accounts, {p: scale * amount / 96 for p, amount in true.items()}))
    assert other == {name: scale * value for name, value in one.items()}


def test_internal_transfers_count_for_the_tenant_and_not_for_the_park():
    handed = meter(5, "X1", Role.BOUNDARY, internal_transfer=True, enterprise="E1")
    accounts, without = hill(GRID, handed), hill(GRID)
    series = day(accounts, {1: 10.0, 5: 3.0})
    park = values(accounts, series)
    alone = values(without, day(without, {1: 10.0}))
    assert park["electricity_consumption"] == alone["electricity_consumption"]
    assert park["carbon_location"] == alone["carbon_location"]
    tenant = values(accounts, series, "enterprise/E1")
    assert tenant["electricity_consumption"] == pytest.approx(96 * 3)


def test_what_a_tenant_hands_on_is_its_neighbours():
    accounts = hill(
        GRID,
        meter(2, "T1", Role.CONSUMPTION, "M0", enterprise="E1"),
        meter(3, "T2", Role.CONSUMPTION, "T1", enterprise="E2"),
    )
    series = day(accounts, {1: 10.0, 2: 8.0, 3: 3.0})
    found = [values(accounts, series, f"enterprise/{e}")["electricity_consumption"] for e in ("E1", "E2")]
    assert found == pytest.approx([96 * 5, 96 * 3])


def test_a_roof_in_another_owners_network_makes_what_the_other_uses():
    roof = point(4, "PV1", EXPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION, enterprise="E2", parent_device="T1")
    accounts = hill(GRID, meter(2, "T1", Role.CONSUMPTION, "M0", enterprise="E1"), roof)
    series = day(accounts, {1: 10.0, 2: 10.0, 4: 2.0})
    one, two = (values(accounts, series, f"enterprise/{e}") for e in ("E1", "E2"))
    assert one["electricity_consumption"] == pytest.approx(96 * 12)
    assert (two["photovoltaic_generation"], two["electricity_consumption"]) == (
        pytest.approx(96 * 2),
        pytest.approx(0),
    )


def test_the_sub_park_of_a_device_is_its_own_else_its_enterprises_else_the_one_above():
    accounts = hill(
        GRID,
        meter(2, "F1", Role.DISTRIBUTION, "M0", sub_park="north"),
        meter(3, "T1", Role.CONSUMPTION, "F1"),
        meter(4, "T2", Role.CONSUMPTION, "M0", enterprise="E2"),
        sub_park_of={"E2": "south"},
    )
    flows = {b.name: [f.device for f in b.flows] for b in accounts.boundaries}
    assert flows["sub_park/north"] == ["F1"]
    assert flows["sub_park/south"] == ["T2"]


def judged(parent: float, *children: float, classes: float | None = 0.5, **more) -> Verdict:
    accounts = hill(
        replace(GRID, accuracy_class=classes, **more),
        *(meter(n, f"T{n}", Role.CONSUMPTION, "M0", accuracy_class=classes) for n in range(2, 2 + len(children))),
    )
    series = day(accounts, dict(enumerate((parent, *children), 1)))
    found = residuals(meter_tree(accounts.nodes, series.place), series.sums.amount)
    assert found.residual[0, 0] == pytest.approx(96 * (parent - sum(children)), nan_ok=True)
    return Verdict(int(found.verdict[0, 0]))


def test_a_residual_is_judged_by_what_the_meters_may_err():
    assert judged(1000.0, 600.0, 395.0) is Verdict.WITHIN
    assert judged(1000.0, 600.0, 380.0) is Verdict.MISSING
    assert judged(1000.0, 600.0, 430.0) is Verdict.CHILDREN_EXCEED
    assert judged(1000.0, 600.0, np.nan) is Verdict.NOT_KNOWN
    assert judged(1000.0, 600.0, 300.0, classes=None) is Verdict.NOT_JUDGED


def test_every_carrier_has_its_tree():
    gas = point(2, "G1", Measurand.GAS_VOLUME, Carrier.NATURAL_GAS, Role.BOUNDARY)
    burner = point(
        3, "G2", Measurand.GAS_VOLUME, Carrier.NATURAL_GAS, Role.CONSUMPTION, parent_device="G1", enterprise="E1"
    )
    accounts = hill(GRID, gas, burner)
    found = statements(accounts, day(accounts, {1: 5.0, 2: 4.0, 3: 3.0}), "device/G1")
    assert found["balance_residual_gas"].value == pytest.approx([96.0])


def test_with_two_connections_nobody_knows_which_one_a_roof_hangs_on():
    second = point(2, "M1", IMPORT, ELECTRICITY, Role.BOUNDARY)
    roof = point(9, "PV1", EXPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)
    accounts = hill(GRID, second, roof, meter(3, "T1", Role.CONSUMPTION, "M0"))
    (node,) = accounts.nodes
    assert (node.device, node.is_certain) == ("M0", False)

"""The park's balance and the rows of interval energy: what counts, in which direction, with which multiplier."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from smartpark.catalogue import Role
from smartpark.clock import to_us
from smartpark.factors import Factor, FactorKind, FactorSet, builtin_factors
from smartpark.measurands import MEANINGS, Carrier, Measurand
from smartpark.periods import Grain, period_containing
from smartpark.wire import MISSING
from smartpark_ingest.derive_balance import Findings, Flow, ParkBalance, day_indicators, park_balance
from smartpark_ingest.derive_intervals import interval_rows
from smartpark_ingest.derive_spans import QUARTER_US
from smartpark_storage import INTERVAL_DTYPE, POINT_VERSION_DTYPE, READING_DTYPE, PointRecord

DAY = period_containing(datetime(2026, 11, 10, 4, tzinfo=UTC), Grain.DAY)
START = to_us(DAY.start)
IMPORT, EXPORT = Measurand.ACTIVE_ENERGY_IMPORT, Measurand.ACTIVE_ENERGY_EXPORT
NO_VERSIONS = np.empty(0, POINT_VERSION_DTYPE)


def point(point_id: int, device: str, measurand: Measurand, carrier: Carrier, role: Role, **more) -> PointRecord:
    record = PointRecord(
        point_id=point_id,
        key=f"hill/{device}/{measurand}",
        park="hill",
        device=device,
        code=str(measurand),
        measurand=measurand,
        kind=MEANINGS[measurand].kind,
        unit=MEANINGS[measurand].unit,
        carrier=carrier,
        exponent=-2,
        register_modulus=None,
        multiplier=1.0,
        role=role,
        internal_transfer=False,
        parent_device=None,
        installed_at_us=None,
        retired_at_us=None,
    )
    return replace(record, **more)


GRID = point(1, "M0", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY)


def signs(*records: PointRecord) -> dict[str, int]:
    return {flow.point.key.removeprefix("hill/"): flow.sign for flow in park_balance("hill", "x", records).flows}


def indicators(balance: ParkBalance, amounts: dict[int, float], factors: FactorSet | None = None) -> Findings:
    """Of a day in which every quarter-hour of each point has the same amount."""
    rows = np.zeros(96 * len(amounts), INTERVAL_DTYPE)
    rows["point_id"] = np.repeat(list(amounts), 96)
    rows["start"] = np.tile(START + QUARTER_US * np.arange(96), len(amounts))
    rows["amount"], rows["completeness"] = np.repeat(list(amounts.values()), 96), 1.0
    chosen = factors or builtin_factors()
    return day_indicators(balance, rows, DAY, frozenset({START}), chosen, computed_at_us=1)


def values(found: Findings) -> dict[tuple[str, str], float | None]:
    return {(row.indicator, row.grain): row.value for row in found.rows}


def test_export_at_the_boundary_leaves_the_park():
    assert signs(GRID, replace(GRID, measurand=EXPORT, key="hill/M0/export")) == {
        "M0/active_energy_import": 1,
        "M0/export": -1,
    }


def test_a_generators_product_is_its_export_and_its_own_use_is_deducted():
    made = point(2, "PV1", EXPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)
    used = point(3, "PV1", IMPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)
    assert signs(made, used) == {"PV1/active_energy_export": 1, "PV1/active_energy_import": -1}


def test_a_production_meter_of_one_direction_counts_production_whichever_way_it_is_wired():
    assert signs(point(3, "PV1", IMPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)) == {"PV1/active_energy_import": 1}


def test_what_is_split_up_handed_on_or_no_energy_stays_out():
    others = [
        point(2, "F1", IMPORT, Carrier.ELECTRICITY, Role.DISTRIBUTION),
        point(3, "T1", IMPORT, Carrier.ELECTRICITY, Role.CONSUMPTION),
        point(4, "X1", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY, internal_transfer=True),
        point(5, "W1", Measurand.WATER_VOLUME, Carrier.WATER, Role.BOUNDARY),
        point(6, "M0", Measurand.REACTIVE_ENERGY_IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY),
        point(7, "N1", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY, park="valley"),
    ]
    assert signs(*others) == {}


def test_a_turbine_inside_makes_electricity_but_no_energy_anew():
    gas = point(2, "G1", Measurand.GAS_VOLUME, Carrier.NATURAL_GAS, Role.BOUNDARY)
    turbine = point(3, "TG", EXPORT, Carrier.ELECTRICITY, Role.GENERATION)
    found = values(indicators(park_balance("hill", "provincial:FJ", [GRID, gas, turbine]), {1: 10.0, 2: 4.0, 3: 6.0}))
    assert found["electricity_consumption", "day"] == pytest.approx(96 * 16)
    assert found["comprehensive_energy", "day"] == pytest.approx(96 * (10 * 0.1229 + 4 * 1.33) / 1000)
    assert found["carbon_location", "hour"] == pytest.approx(4 * (10 * 0.4211 + 4 * 2.162188809) / 1000)


def test_a_meter_is_awaited_in_the_periods_that_begin_with_it_or_after_it():
    late = Flow(replace(GRID, installed_at_us=START), 1)
    before = period_containing(datetime(2026, 11, 9, 4, tzinfo=UTC), Grain.DAY)
    month = period_containing(datetime(2026, 11, 9, 4, tzinfo=UTC), Grain.MONTH)
    assert [late.is_awaited(period) for period in (before, month, DAY)] == [False, False, True]


def test_where_no_meter_is_awaited_and_none_is_known_there_is_no_value():
    late = replace(GRID, installed_at_us=to_us(DAY.end))
    found = indicators(park_balance("hill", "provincial:FJ", [late]), {1: np.nan})
    assert set(values(found).values()) == {None}
    assert {(row.completeness, row.reason.rpartition("; ")[2]) for row in found.rows} == {
        (0.0, "no meter in service")
    }


def test_a_park_without_energy_meters_publishes_nothing():
    assert indicators(park_balance("hill", "provincial:FJ", []), {}) == Findings([], [])


def test_a_factor_per_another_unit_is_refused_by_name():
    factor = Factor(
        id="wrong",
        kind=FactorKind.COAL_EQUIVALENT,
        carrier=Carrier.ELECTRICITY,
        scope="table",
        value=34.12,
        unit="kgce/GJ",
        valid_from=date(2008, 1, 1),
        source="a mistake",
        grade="S",
    )
    found = indicators(
        park_balance("hill", "provincial:FJ", [GRID]), {1: 1.0}, FactorSet(version="test", factor=(factor,))
    )
    assert {row.indicator for row in found.rows} == {"electricity_consumption"}
    assert "factor wrong is in kgce/GJ; hill/M0/active_energy_import counts kWh" in found.missing[0]


def test_factors_are_those_of_the_accounting_day_in_the_park_not_of_the_utc_day():
    new_year = period_containing(datetime(2022, 12, 31, 17, tzinfo=UTC), Grain.DAY)  # 2023-01-01 in the park
    rows = np.zeros(1, INTERVAL_DTYPE)
    rows["point_id"], rows["start"], rows["amount"], rows["completeness"] = 1, to_us(new_year.start), 1000.0, 1.0
    found = day_indicators(
        park_balance("hill", "provincial:FJ", [GRID]),
        rows,
        new_year,
        frozenset(),
        builtin_factors(),
        computed_at_us=1,
    )
    (carbon,) = [row for row in found.rows if row.indicator == "carbon_location"]
    assert carbon.factors == ("mee-2025-47:electricity:FJ:2023",)
    assert carbon.value == pytest.approx(0.4211)


# --- rows of interval energy ------------------------------------------------------------------------


def readings(point_id: int, values: list[float], *, as_double: bool) -> np.ndarray:
    rows = np.zeros(len(values), READING_DTYPE)
    rows["point_id"], rows["time"] = point_id, START + QUARTER_US * np.arange(len(values))
    rows["scaled"], rows["raw"] = (MISSING, values) if as_double else (values, np.nan)
    return rows


def test_registers_of_both_kinds_are_computed_side_by_side():
    double = replace(GRID, point_id=9, exponent=None, multiplier=2.0)
    both = np.concatenate(
        [readings(9, [0.5, 1.75, 4.0], as_double=True), readings(1, [0, 150, 350], as_double=False)]
    )
    rows = interval_rows([double, GRID], both, NO_VERSIONS, START, START + 3 * QUARTER_US)
    assert rows["point_id"].tolist() == [1, 1, 9, 9]
    assert rows["amount"].tolist() == [1.5, 2.0, 2.5, 4.5]
    assert rows["start"].tolist() == [START, START + QUARTER_US] * 2


def test_a_reading_finer_than_its_register_counts_as_the_nearest_step():
    mixed = readings(1, [0, 0, 300, 450], as_double=False)
    mixed["scaled"][1], mixed["raw"][1] = MISSING, 1.504  # kWh; the register's step is 0.01
    rows = interval_rows([GRID], mixed, NO_VERSIONS, START, START + 3 * QUARTER_US)
    assert rows["amount"] == pytest.approx([1.5, 1.5, 1.5])


def test_each_reading_is_multiplied_by_what_was_in_force_then():
    versions = np.array([(1, 0, 10.0, 0), (1, START + 2 * QUARTER_US, 40.0, 0)], POINT_VERSION_DTYPE)
    given = readings(1, [0, 100, 200, 300], as_double=False)
    rows = interval_rows([replace(GRID, multiplier=40.0)], given, versions, START, START + 3 * QUARTER_US)
    assert rows["amount"].tolist() == [10.0, 10.0, 40.0]


def test_the_modulus_is_that_of_the_span():
    versions = np.array([(1, 0, 1.0, 1000), (1, START + 90 * QUARTER_US, 1.0, 0)], POINT_VERSION_DTYPE)
    given = readings(1, [960, 980, 0, 20], as_double=False)
    rows = interval_rows([GRID], given, versions, START, START + 3 * QUARTER_US)
    assert rows["amount"] == pytest.approx([0.2, 0.2, 0.2])


def test_before_the_first_reading_and_after_the_last_there_are_no_rows():
    given = readings(1, [0, 100, 200], as_double=False)
    rows = interval_rows([GRID], given, NO_VERSIONS, START - 3 * QUARTER_US, START + 9 * QUARTER_US)
    assert rows["start"].tolist() == [START, START + QUARTER_US]

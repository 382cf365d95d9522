"""Cases in which a peer (MyEMS, as measured on its public sources) gives a wrong number, each right here.

What it does: it writes zero where there is no data; its cursor never goes back, so that nine of ten hours that a
buffer delivered late were lost for good; ten hours of outage become ten hours of zero and a spike; two outliers
condemned 469 good readings; a carbon factor has no dates, so that history changes with it.
"""

from datetime import date

import pytest
from derive_park import DAY, HOUR, KG_PER_KWH, KWH_PER_HOUR, LOADS, MIDNIGHT, MINUTE, T_PER_HOUR, DerivePark
from smartpark.factors import Factor, FactorKind
from smartpark.measurands import Carrier
from smartpark_analytics import IntervalFlag
from smartpark_ingest.derive import Deriver
from smartpark_ingest.recompute import mark_park_stale
from smartpark_storage import load_factors

GAS = "G1/gas_volume"


def values(hill: DerivePark, indicator: str, grain: str = "hour") -> list[float | None]:
    return [row["value"] for row in hill.published(indicator, grain)]


def test_where_there_is_no_data_there_is_no_number(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.feed(MIDNIGHT + 8 * HOUR, MIDNIGHT + 10 * HOUR)
    hill.derive()
    found = values(hill, "electricity_consumption")
    assert found[:2] == pytest.approx([KWH_PER_HOUR] * 2)
    assert found[2:8] == [None] * 6
    assert 0.0 not in found


def test_ten_hours_of_outage_are_neither_ten_zeros_nor_a_spike(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR)
    hill.feed(MIDNIGHT + 16 * HOUR, MIDNIGHT + DAY)
    hill.derive()
    found = values(hill, "carbon_location")
    known = [value for value in found if value is not None]
    assert len(found) == 24
    assert len(known) == 14
    assert known == pytest.approx([T_PER_HOUR] * 14)
    (day,) = hill.published("carbon_location", "day")
    assert day["completeness"] == pytest.approx(14 / 24, abs=0.01)


def test_all_ten_hours_that_a_buffer_delivers_late_are_counted(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR)
    hill.feed(MIDNIGHT + 16 * HOUR, MIDNIGHT + DAY)
    hill.derive()
    for late in range(15, 5, -1):  # newest first, one by one, as a gateway may do it
        hill.feed(MIDNIGHT + late * HOUR, MIDNIGHT + (late + 1) * HOUR)
        hill.derive()
    assert values(hill, "carbon_location") == pytest.approx([T_PER_HOUR] * 24)
    (day,) = hill.published("carbon_location", "day")
    assert (day["value"], day["completeness"]) == (pytest.approx(24 * T_PER_HOUR), 1.0)


def test_two_outliers_cost_two_readings_and_no_energy(hill: DerivePark):
    wrong = {MIDNIGHT + 7 * HOUR + 21 * MINUTE: 3, MIDNIGHT + 15 * HOUR + 40 * MINUTE: 98_000_000}

    def register(key: str, time: int) -> int:
        return wrong.get(time, hill.register(key, time)) if key == GAS else hill.register(key, time)

    hill.feed(MIDNIGHT, MIDNIGHT + DAY, every=MINUTE, register=register)
    hill.derive()
    assert [n for n, _, flags in hill.intervals(GAS) if flags] == [29, 62]
    assert {flags for _, _, flags in hill.intervals(GAS)} == {0, IntervalFlag.GLITCH}
    assert sum(amount for _, amount, _ in hill.intervals(GAS)) == pytest.approx(24 * LOADS[GAS])


GRID = Factor(
    id="grid-corrected",
    kind=FactorKind.CARBON_DIOXIDE,
    carrier=Carrier.ELECTRICITY,
    scope="provincial:FJ",
    value=0.9,
    unit="kg/kWh",
    data_year=2026,
    valid_from=date(2026, 1, 1),
    source="a bulletin",
    grade="S",
)


def derived_again(hill: DerivePark, factor: Factor) -> None:
    """A row is added, and the day that was published derived anew."""
    load_factors(hill.connection, [factor], origin="test", loaded_by="test")
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()


def test_a_new_factor_leaves_the_past_as_it_was(hill: DerivePark):
    hill.deriver = Deriver()
    hill.feed(MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()
    before = hill.published("carbon_location", "day", every_revision=True)
    derived_again(hill, GRID.model_copy(update={"data_year": 2027, "valid_from": date(2027, 1, 1)}))
    assert hill.published("carbon_location", "day", every_revision=True) == before


def test_a_corrected_factor_is_another_revision_and_the_first_one_stays(hill: DerivePark):
    hill.deriver = Deriver()
    hill.feed(MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()
    derived_again(hill, GRID)
    first, second = hill.published("carbon_location", "day", every_revision=True)
    assert (first["revision"], second["revision"]) == (1, 2)
    purchased = 24 * (LOADS["M0/active_energy_import"] - LOADS["M0/active_energy_export"])
    assert second["value"] - first["value"] == pytest.approx((0.9 - KG_PER_KWH) * purchased / 1000)
    assert "grid-corrected" in second["factors"]
    assert first["superseded_at"] is not None

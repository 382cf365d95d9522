"""Meters that are replaced, on real databases: what the fitter wrote down makes the hour whole again."""

import pytest
from derive_park import DAY, HOUR, LOADS, MIDNIGHT, MINUTE, QUARTER, DerivePark, document
from smartpark.clock import from_us
from smartpark_analytics import IntervalFlag

GAS = "G1/gas_volume"
SWAP = MIDNIGHT + 2 * HOUR + 7 * MINUTE
INITIAL = 812_345_67
"""A used meter: it begins higher than the old one ended."""


def shown(hill: DerivePark, final: int):
    def register(key: str, time: int) -> int:
        steps = hill.register(key, time)
        return steps - final + INITIAL if key == GAS and time > SWAP else steps

    return register


def noted(final: int):
    changed = document()
    changed["meter_change"] = [
        {
            "device": "G1",
            "point": "gas_volume",
            "at": from_us(SWAP),
            "final": f"{final / 100:.2f}",
            "initial": f"{INITIAL / 100:.2f}",
        }
    ]
    return changed


def test_a_note_that_comes_after_the_readings_makes_the_quarter_hour_whole(hill: DerivePark):
    final = hill.register(GAS, SWAP)
    hill.feed(MIDNIGHT, MIDNIGHT + 5 * HOUR, register=shown(hill, final))
    hill.derive()
    quarter = (SWAP - MIDNIGHT) // QUARTER
    before = hill.intervals(GAS)[quarter]
    assert before[1] is None or before[1] > 100 * LOADS[GAS]

    hill.load(noted(final), at=MIDNIGHT + DAY)
    hill.derive()
    number, amount, flags = hill.intervals(GAS)[quarter]
    assert (number, amount) == (quarter, pytest.approx(LOADS[GAS] / 4))
    assert flags == IntervalFlag.METER_CHANGED
    assert sum(amount for _, amount, _ in hill.intervals(GAS)) == pytest.approx(5 * LOADS[GAS])
    assert hill.hour("carbon_location", 2)["completeness"] == 1.0

    hill.load(document(), at=MIDNIGHT + DAY)
    hill.derive()
    assert hill.intervals(GAS)[quarter] == before


def test_a_jump_faster_than_the_meter_can_is_no_gas(hill: DerivePark):
    limited = document()
    (gas,) = (d for d in limited["device"] if d["code"] == "G1")
    gas["point"][0]["max_rate"] = 4 * LOADS[GAS]
    hill.load(limited)
    hill.feed(MIDNIGHT, MIDNIGHT + 5 * HOUR, register=shown(hill, hill.register(GAS, SWAP)))
    hill.derive()
    told = [(amount, flags) for _, amount, flags in hill.intervals(GAS) if flags]
    assert told == [(pytest.approx(LOADS[GAS] / 4 * 2 / 3, rel=0.01), IntervalFlag.IMPLAUSIBLE)]

"""The closed lists of measurands and carriers are complete and consistent."""

import re

import pytest
from smartpark.measurands import CARRIER_WORDS, MEANINGS, Carrier, Kind, Measurand, Ratio
from smartpark.status import (
    BAD,
    BAD_NO_DATA,
    BAD_OUT_OF_SERVICE,
    BAD_SENSOR_FAILURE,
    GOOD,
    UNCERTAIN,
    UNCERTAIN_SUBSTITUTE,
    as_int32,
    as_uint32,
    is_bad,
    is_good,
)

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_measurand_has_a_meaning_and_every_carrier_its_words():
    assert set(MEANINGS) == set(Measurand)
    assert set(CARRIER_WORDS) == set(Carrier)


@pytest.mark.parametrize("measurand", Measurand)
def test_a_meaning_has_two_names_and_a_range(measurand):
    meaning = MEANINGS[measurand]
    assert CHINESE.search(meaning.zh)
    assert not CHINESE.search(meaning.en)
    assert meaning.low < meaning.high


def test_no_two_measurands_share_a_name():
    assert len({meaning.zh for meaning in MEANINGS.values()}) == len(Measurand)
    assert len({meaning.en for meaning in MEANINGS.values()}) == len(Measurand)


def test_counters_grow_from_zero_and_count_amounts_not_rates():
    for measurand, meaning in MEANINGS.items():
        if meaning.kind is Kind.COUNTER:
            assert meaning.low == 0, measurand
            assert meaning.unit in {"kWh", "kvarh", "m3", "GJ", "t"}, measurand


def test_only_electrical_quantities_stand_behind_instrument_transformers():
    electrical = {"kW", "kvar", "kVA", "V", "A", "kWh", "kvarh"}
    for measurand, meaning in MEANINGS.items():
        assert meaning.ratio is Ratio.NONE or meaning.unit in electrical, measurand


@pytest.mark.parametrize(
    ("code", "good", "bad"),
    [
        (GOOD, True, False),
        (UNCERTAIN, False, False),
        (UNCERTAIN_SUBSTITUTE, False, False),
        (BAD, False, True),
        (BAD_NO_DATA, False, True),
        (BAD_SENSOR_FAILURE, False, True),
        (BAD_OUT_OF_SERVICE, False, True),
    ],
)
def test_the_severity_bits_decide(code, good, bad):
    assert (is_good(code), is_bad(code)) == (good, bad)


@pytest.mark.parametrize("code", [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, BAD_NO_DATA])
def test_a_status_survives_a_signed_column(code):
    assert -(2**31) <= as_int32(code) < 2**31
    assert as_uint32(as_int32(code)) == code

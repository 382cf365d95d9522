"""Steam of which pressure and temperature are known, from readings to published heat and its explanation."""

import pytest
from derive_park import DAY, HOUR, MIDNIGHT, MINUTE, DerivePark, document
from smartpark.clock import from_us
from smartpark.periods import Grain, period_containing
from smartpark_api.explaining.evidence import Question, Sources, explain
from smartpark_api.explaining.models import answer_out
from smartpark_api.explaining.text import told
from smartpark_storage import Connection

MASS, PRESSURE, TEMPERATURE = "S1/steam_mass", "S1/pressure", "S1/temperature"
PER_HOUR = 8.0
"""Steam. [t/h]"""
SUPERHEATED, DRY = 2.94322 - 0.08374, 2.77712 - 0.08374
"""Heat of steam of 1 MPa at 250 Cel, and dry at saturation. [GJ/t]"""
TABLE = 3.763
SHOWN = {PRESSURE: 1000.0 - 101.325, TEMPERATURE: 250.0}


@pytest.fixture
def hill(connection: Connection) -> DerivePark:
    """A park whose only energy is steam; its pressure is counted from the air."""
    park = DerivePark(connection)
    meter = {
        "code": "S1",
        "name": "汽",
        "name_en": "steam",
        "kind": "meter",
        "carrier": "steam",
        "role": "boundary",
        "pressure_reference": "gauge",
        "point": [
            {"measurand": "steam_mass", "resolution": "0.01", "register_digits": 9},
            {"measurand": "pressure", "resolution": "0.001"},
            {"measurand": "temperature", "resolution": "0.001"},
        ],
    }
    park.load({"park": document()["park"], "device": [meter]})
    return park


def feed_mass(park: DerivePark, start: int, end: int) -> None:
    park.feed(
        start,
        end,
        keys=[MASS],
        register=lambda _, time: round(1000 + 100 * PER_HOUR * (time - MIDNIGHT + DAY) / HOUR),
    )


def feed_state(park: DerivePark, start: int, end: int, **other: float) -> None:
    shown = SHOWN | {f"S1/{name}": value for name, value in other.items()}
    park.feed(
        start, end, keys=[PRESSURE, TEMPERATURE], every=MINUTE, register=lambda key, _: round(1000 * shown[key])
    )


def heat(park: DerivePark, hour: int) -> float:
    """By the carbon of heat, 0.11 t/GJ. [GJ]"""
    return park.hour("carbon_heat", hour)["value"] / 0.11


def test_steam_counts_by_its_enthalpy_and_says_so(hill: DerivePark):
    feed_state(hill, MIDNIGHT, MIDNIGHT + DAY - MINUTE)
    feed_mass(hill, MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()
    assert heat(hill, 3) == pytest.approx(PER_HOUR * SUPERHEATED, rel=1e-5)
    row = hill.hour("comprehensive_energy", 3)
    assert row["value"] == pytest.approx(PER_HOUR * SUPERHEATED * 34.12 / 1000, rel=1e-5)
    assert (row["completeness"], row["estimated_share"]) == (1.0, 0.0)
    assert "guideline:steam:reference_enthalpy" in row["factors"]
    assert hill.hour("carbon_scope2", 3)["value"] == pytest.approx(hill.hour("carbon_heat", 3)["value"])
    (day,) = (r for r in hill.published("carbon_heat", "day") if r["start"] == from_us(MIDNIGHT))
    assert day["value"] == pytest.approx(24 * PER_HOUR * SUPERHEATED * 0.11, rel=1e-5)


def test_an_explanation_shows_the_state_of_the_steam_and_adds_up(hill: DerivePark):
    feed_state(hill, MIDNIGHT, MIDNIGHT + DAY - MINUTE)
    feed_mass(hill, MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()
    for grain in (Grain.HOUR, Grain.DAY):
        period = period_containing(from_us(MIDNIGHT + HOUR), grain)
        answer = explain(Sources(hill.connection), Question("comprehensive_energy", "hill", period))
        found = answer.explanation
        assert found.differences == ()
        assert found.added_up() == found.value
        (steam,) = found.steam
        assert (steam.pressure, steam.temperature) == (pytest.approx(1000.0), pytest.approx(250.0))
        assert steam.mass * (steam.enthalpy - 0.08374) == pytest.approx(steam.heat)
        (term,) = (term for term in found.terms if term.meter == "hill/S1/steam_mass")
        assert (term.amount, term.unit) == (pytest.approx(steam.heat), "GJ")
        assert f"p {steam.pressure!r} kPa (abs), T {steam.temperature!r} Cel, h" in told(answer, chinese=False)
        assert answer_out(answer).steam[0].enthalpy_gj_per_t == pytest.approx(2.94322, abs=1e-5)


def test_without_its_state_steam_counts_by_the_table_until_late_readings_come(hill: DerivePark):
    feed_state(hill, MIDNIGHT, MIDNIGHT + 2 * HOUR - MINUTE)
    feed_mass(hill, MIDNIGHT, MIDNIGHT + 6 * HOUR)
    hill.derive()
    assert heat(hill, 1) == pytest.approx(PER_HOUR * SUPERHEATED, rel=1e-5)
    # The last reading holds for an hour.
    assert heat(hill, 2) == pytest.approx(PER_HOUR * SUPERHEATED, rel=1e-5)
    row = hill.hour("carbon_heat", 4)
    assert row["value"] / 0.11 == pytest.approx(PER_HOUR * TABLE)
    assert row["estimated_share"] == 1.0
    assert "4 quarter-hours without usable pressure or temperature, by the table's heat" in row["reason"]
    feed_state(hill, MIDNIGHT + 4 * HOUR, MIDNIGHT + 5 * HOUR - MINUTE, temperature=180.0)
    hill.derive()
    row = hill.hour("carbon_heat", 4)
    assert (row["revision"], row["estimated_share"]) == (2, 0.0)
    assert row["value"] / 0.11 == pytest.approx(PER_HOUR * DRY, rel=1e-5)
    assert "4 quarter-hours at saturation, taken as dry steam" in row["reason"]


def test_steam_that_cannot_be_steam_counts_by_the_table(hill: DerivePark):
    feed_state(hill, MIDNIGHT, MIDNIGHT + 2 * HOUR - MINUTE, temperature=90.0)
    feed_mass(hill, MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.derive()
    assert heat(hill, 1) == pytest.approx(PER_HOUR * TABLE)
    assert "colder than saturation" in hill.hour("carbon_heat", 1)["reason"]

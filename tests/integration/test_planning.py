"""Forecast and headroom over a real database: endpoints, commands, and what they say when something is not known."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fix_api import NOON, ParkHand
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark.clock import PARK_ZONE, to_us
from smartpark_storage import INTERVAL_DTYPE, connect, load_registry, write_interval_energy

PARK = load_catalogue(Path(__file__).parents[1] / "data" / "planning_park.toml")
QUARTER = timedelta(minutes=15)
WEEKS = 8
START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC) - timedelta(weeks=WEEKS)
URL = "/api/v1/parks/netpark"


def quarters():
    """Weekly pattern of the first incomer, kW in each quarter-hour up to noon: 2400 on workdays, 900 on weekends."""
    times = [START + n * QUARTER for n in range(WEEKS * 7 * 96)]
    local = [time.astimezone(PARK_ZONE) for time in times]
    return np.array([(2400.0 if one.weekday() < 5 else 900.0) + 10 * one.hour for one in local])


def put(hand, shares, *, gaps=()):
    """Store energy of several meters as shares of the pattern."""
    power = quarters()
    rows = np.zeros(len(shares) * power.size, INTERVAL_DTYPE).reshape(len(shares), power.size)
    with connect(hand.dsn, application="test") as connection:
        registry = load_registry(connection)
        for row, (key, share) in zip(rows, shares.items(), strict=True):
            row["point_id"] = registry.by_key[f"netpark/{key}"].point_id
            row["start"] = to_us(START) + np.arange(power.size) * 900_000_000
            row["amount"], row["completeness"] = power * share / 4, 1.0
            row["amount"][list(gaps)] = np.nan
        write_interval_energy(connection, rows.ravel())
        connection.commit()


@pytest.fixture
def net_hand(database_dsn: str) -> ParkHand:
    hand = ParkHand(database_dsn)
    hand.load(PARK)
    put(
        hand,
        {
            "M1/active_energy_import": 1.0,
            "M2/active_energy_import": 0.5,
            "E1/active_energy_import": 0.3,
            "E2/active_energy_import": 0.1,
            "PV/active_energy_export": 0.1,
        },
    )
    return hand


@pytest.fixture
def net(net_hand, client_of):
    return client_of(net_hand.dsn)


def by_code(answer):
    return {node["code"]: node for node in answer["nodes"]}


# --- forecast -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grid", "slots"), [("hour", 24), ("15m", 96)])
def test_a_weekly_load_is_forecast_exactly_from_boundary_and_generation(net, grid, slots):
    answer = net.get(f"{URL}/forecast", params={"days": 2, "grid": grid}).json()

    assert answer["origin"] == "2026-11-22T12:00:00+08:00"
    assert len(answer["time"]) == 2 * slots
    assert answer["basis"] == "learnt"
    assert [band["quantile"] for band in answer["bands"]] == [0.1, 0.5, 0.9]
    sunday, monday = 900.0, 2400.0
    step = slots // 24
    expected = [sunday + 10 * hour for hour in range(12, 24)] + [monday + 10 * hour for hour in range(24)]
    median = answer["bands"][1]["values"][: 36 * step : step]
    assert median == pytest.approx([1.6 * one for one in expected], rel=0.01)
    assert [(day["date"], day["kind"]) for day in answer["days"]] == [
        ("2026-11-22", "weekend"),
        ("2026-11-23", "workday"),
        ("2026-11-24", "workday"),
    ]
    assert answer["days"][1]["peak_at"] == "2026-11-23T23:00:00+08:00"
    assert answer["days"][1]["energy_kwh"] == pytest.approx(1.6 * (24 * 2400 + 10 * 276), rel=0.01)


def test_the_yearly_peak_of_eight_weeks_is_what_was_seen_so_far(net):
    peak = net.get(f"{URL}/forecast").json()["yearly_peak"]

    assert peak["basis"] == "seen_so_far"
    assert peak["values"] == pytest.approx([1.6 * 2630] * 3)
    assert "8 of the last 52 weeks are known, 40 more are needed" in peak["detail"]


def test_a_gap_of_one_meter_is_a_gap_of_the_sum(net_hand, client_of):
    put(net_hand, {"M2/active_energy_import": 0.5}, gaps=range(96))
    answer = client_of(net_hand.dsn).get(f"{URL}/forecast").json()
    assert answer["history_days"] == pytest.approx(WEEKS * 7 - 1)


def test_gauges_stand_in_where_registers_are_not_known(plain_hand, plain_client):
    hours = [NOON - timedelta(minutes=15 * n) for n in range(1, 9)]
    plain_hand.store(*[("testpark/M0/active_power", hour, 12.0) for hour in hours])
    plain_hand.store(*[("testpark/PV1/active_power", hour, -20.0) for hour in hours])
    answer = plain_client.get("/api/v1/parks/testpark/forecast").json()
    assert answer["history_days"] == pytest.approx(2 / 24, abs=0.01)
    assert (answer["basis"], answer["bands"][1]["values"][0]) == ("none", None)
    assert "less than a week" in answer["detail"]


def test_a_year_without_a_calendar_is_said_aloud(net_hand, client_of):
    late = datetime(2031, 5, 1, 4, 0, tzinfo=UTC)
    answer = client_of(net_hand.dsn, now=late).get(f"{URL}/forecast").json()
    assert any("does not cover 2031" in note for note in answer["notes"])
    assert {day["kind"] for day in answer["days"]} == {None}


def test_holidays_ahead_are_said(net_hand, client_of):
    eve = datetime(2026, 9, 30, 4, 0, tzinfo=UTC)
    answer = client_of(net_hand.dsn, now=eve).get(f"{URL}/forecast").json()
    assert "2026-10-01: holiday (national_day)" in answer["notes"]


def test_a_park_that_nobody_knows(net):
    assert net.get("/api/v1/parks/nowhere/forecast").status_code == 404
    assert net.get("/api/v1/parks/nowhere/headroom").status_code == 404


# --- headroom -----------------------------------------------------------------------------------------------------


def test_every_node_has_its_room_in_kva(net):
    nodes = by_code(net.get(f"{URL}/headroom").json())

    one = nodes["transformer/TR1"]
    assert one["peak_kva"] == pytest.approx(2630 / 0.9, abs=0.01)
    assert one["peak_at"] == "2026-09-28T23:00:00+08:00"
    assert one["assumed_power_factor_share"] == 1.0
    assert one["headroom_kva"] == pytest.approx(4000 - 2630 / 0.9, abs=0.01)
    assert one["binding"] == "load_share"
    assert one["is_lower_bound"] is True  # eight weeks are no year
    # The topmost meter counts, not the tenant behind it; a feeder without a meter takes what hangs on it.
    assert nodes["transformer/D1"]["peak_kva"] == pytest.approx(0.3 * 2630 / 0.9, abs=0.01)
    assert nodes["feeder/F1"]["peak_kva"] == nodes["transformer/D1"]["peak_kva"]
    # The park is what crosses its boundary, against all that feeds it.
    park = nodes["park"]
    assert (park["rated_kva"], park["peak_kva"]) == (10_000, pytest.approx(1.5 * 2630 / 0.9, abs=0.01))


def test_what_nobody_measures_is_not_free(net):
    answer = net.get(f"{URL}/headroom", params={"ask_kva": 100}).json()
    node = by_code(answer)["transformer/D2"]
    assert (node["peak_kva"], node["headroom_kva"], node["binding"]) == (None, None, None)
    assert "nothing measures it" in node["reason"]
    path = next(path for path in answer["paths"] if path["nodes"][0] == "transformer/D2")
    assert path["nodes"] == ["transformer/D2", "feeder/F2", "transformer/TR2", "park"]
    assert (path["headroom_kva"], path["verdict"]) == (None, "not_known")
    assert path["at_most_kva"] == pytest.approx(4000 - 1315 / 0.9, abs=0.01)


@pytest.mark.parametrize(("asked", "said"), [(100, "fits"), (500, "after_upgrade"), (1200, "does_not_fit")])
def test_what_becomes_of_a_request(net, asked, said):
    answer = net.get(f"{URL}/headroom", params={"ask_kva": asked, "from": "2027-03"}).json()
    path = next(path for path in answer["paths"] if path["nodes"][0] == "transformer/D1")
    assert path["verdict"] == said
    assert answer["ask"] == {"kva": asked, "coincidence": 1.0, "from": "2027-03-01"}
    assert any("2027-03-01" in one for one in answer["assumptions"])


def test_transformers_that_stand_in_for_each_other_are_held_to_n_minus_1(net):
    apart = net.get(f"{URL}/headroom").json()
    assert any("N-1 is not judged" in one for one in apart["assumptions"])
    answer = net.get(f"{URL}/headroom", params={"station": "TR1+TR2"}).json()
    node = by_code(answer)["transformer/TR1+TR2"]
    peak = 1.5 * 2630 / 0.9
    assert node["peak_kva"] == pytest.approx(peak, abs=0.01)
    assert node["headroom_by_rule_kva"] == pytest.approx(
        {"load_share": 8000 - peak, "n_minus_1": 6500 - peak}, abs=0.01
    )
    assert node["binding"] == "n_minus_1"
    plain = net.get(f"{URL}/headroom", params={"station": "TR1+TR2", "short_time": False}).json()
    assert by_code(plain)["transformer/TR1+TR2"]["headroom_kva"] == pytest.approx(5000 - peak, abs=0.01)
    assert ["transformer/D1", "feeder/F1", "transformer/TR1+TR2", "park"] in [
        path["nodes"] for path in answer["paths"]
    ]


def test_what_is_promised_counts_at_its_node_and_above(net):
    free = by_code(net.get(f"{URL}/headroom").json())
    answer = by_code(net.get(f"{URL}/headroom", params={"reserved": ["F1=1000@0.8", "D1=100"]}).json())
    less = {
        code: round(free[code]["headroom_kva"] - answer[code]["headroom_kva"], 3)
        for code in free
        if free[code]["headroom_kva"]
    }
    assert less == {
        "transformer/D1": 100,
        "feeder/F1": 900,
        "transformer/TR1": 900,
        "transformer/TR2": 0,
        "park": 900,
    }


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"reserved": "F9=100"}, "'F9' names 0 transformers or feeders"),
        ({"reserved": "much"}, "NODE=KVA@COINCIDENCE"),
        ({"reserved": "F1=100@2"}, "coincidence of 2"),
        ({"station": "TR1"}, "TR1+TR2"),
        ({"station": "TR1+TR9"}, "no transformer 'TR9'"),
        ({"ask_kva": 10, "from": "spring"}, "neither a month nor a day"),
        ({"from": "2027-03"}, "from without ask_kva"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_what_would(net, query, said):
    answer = net.get(f"{URL}/headroom", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_of_a_park_without_transformers_nothing_is_free(plain_client):
    answer = plain_client.get("/api/v1/parks/testpark/headroom", params={"ask_kva": 1}).json()
    (park,) = answer["nodes"]
    assert (park["code"], park["rated_kva"], park["headroom_kva"]) == ("park", None, None)
    assert "neither a transformer nor a feeder" in park["reason"]
    assert [path["verdict"] for path in answer["paths"]] == ["not_known"]


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(net_hand, monkeypatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", net_hand.dsn)
    monkeypatch.delenv("SMARTPARK_WORKDAYS", raising=False)

    def run(*arguments):
        code = main([*arguments, "--at", NOON.isoformat()])
        return code, capsys.readouterr()

    return run


def test_the_forecast_on_the_terminal(command):
    code, said = command("forecast", "netpark", "--days", "1", "--score")
    assert code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("netpark: load ahead in kW")
    assert sum(line.startswith("2026-11-2") for line in lines) == 24
    assert "score over" in lines[-1]
    code, said = command("forecast", "netpark", "--json")
    assert len(json.loads(said.out)["time"]) == 72


def test_the_headroom_on_the_terminal(command):
    code, said = command("headroom", "netpark", "--ask-kva", "500", "--from", "2027-03", "--station", "TR1+TR2")
    assert code == 0
    assert "transformer/D1 > feeder/F1 > transformer/TR1+TR2 > park" in said.out
    assert "after_upgrade" in said.out
    assert "n_minus_1" in said.out
    code, said = command("headroom", "netpark", "--json")
    assert json.loads(said.out)["method"] == "headroom/1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forecast", "nowhere"), "there is no park 'nowhere'; known: netpark"),
        (("headroom", "netpark", "--reserved", "much"), "NODE=KVA"),
    ],
)
def test_a_wrong_command_says_what_is_right(command, arguments, said):
    code, printed = command(*arguments)
    assert code == 1
    assert said in printed.err


def test_a_year_that_somebody_entered_is_known_to_the_forecast(command, tmp_path, monkeypatch):
    file = tmp_path / "workdays.toml"
    file.write_text('[[day]]\nday = 2026-11-23\nkind = "holiday"\nsource = "typhoon"\n', encoding="utf-8")
    monkeypatch.setenv("SMARTPARK_WORKDAYS", str(file))
    _, said = command("forecast", "netpark", "--json")
    assert "2026-11-23: holiday (other)" in json.loads(said.out)["notes"]

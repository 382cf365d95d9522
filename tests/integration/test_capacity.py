"""Capacity over a real database: a what-if, a request, what others were promised, stations, the command.

The park and its loads are those of `test_planning`; promises are made by the desk, as people make them.
"""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from fix_api import NOON, ParkHand
from fix_console import LIN
from load_request_cases import CALENDAR, RULES
from smartpark.cli import main
from smartpark.load_requests.events import Details, Moved, SchemeReplied
from smartpark.load_requests.words import Stage
from smartpark_api.load_requests import service
from smartpark_storage import connect
from smartpark_storage.load_requests import put_person
from test_planning import PARK, put

URL = "/api/v1/parks/netpark/capacity-simulation"
PEAK_D1 = 0.3 * 2630 / 0.9
MONDAY = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
def hand(database_dsn):
    hand = ParkHand(database_dsn)
    hand.load(PARK)
    shares = {"M1": 1.0, "M2": 0.5, "E1": 0.3}
    put(hand, {f"{meter}/active_energy_import": share for meter, share in shares.items()})
    with connect(database_dsn, application="test") as connection:
        put_person(connection, LIN)
        connection.commit()
    return hand


def request(hand, *, approved=None, **changed):
    """A request that was opened, and replied to where something was approved."""
    wanted = {
        "park": "netpark",
        "applicant": "晋江纺织",
        "kind": "new_supply",
        "applied_kva": 300,
        "voltage": "10kv",
        "contact_role": "主任",
    } | changed
    with connect(hand.dsn, application="test") as connection:
        seen = service.open_request(
            service.Desk(connection, RULES, CALENDAR, MONDAY, LIN.code), Details.model_validate(wanted)
        )
        acts = [Moved(to=Stage.SURVEY), Moved(to=Stage.SCHEME_REPLY), SchemeReplied(approved_kva=approved or 1)]
        for n, body in enumerate(acts if approved else [], start=1):
            desk = service.Desk(connection, RULES, CALENDAR, MONDAY + timedelta(hours=n), LIN.code)
            seen = service.act(desk, seen.code, body, expected=seen.version)
        connection.commit()
    return seen.code


def levels(answer):
    return {level["node"]: level for level in answer["levels"]}


def test_what_if_this_asks_so_much_from_march(hand, client_of):
    client = client_of(hand.dsn)
    answer = client.get(URL, params={"kva": 500, "from": "2027-03-01", "node": "transformer/D1"}).json()

    assert (answer["verdict"], answer["basis"]) == ("after_upgrade", "seasonal_maximum")
    assert answer["asked"]["from"] == "2027-03-01"
    assert list(levels(answer)) == ["transformer/D1", "feeder/F1", "transformer/TR1", "park"]
    assert (answer["binding_node"], answer["binding_rule"]) == ("transformer/D1", "load_share")
    assert answer["headroom_kva"] == pytest.approx(1000 - PEAK_D1, abs=0.01)
    assert {"no_forecast", "coincidence_full", "start", "nothing_promised"} <= {
        one["code"] for one in answer["assumptions"]
    }
    assert all(one["zh"] and one["en"] for one in answer["assumptions"])
    assert client.get(URL, params={"kva": 2000, "node": "transformer/D1"}).json()["verdict"] == "does_not_fit"


def test_approved_requests_take_room_from_others_and_none_from_themselves(hand, client_of):
    own = request(hand, approved=700, node="feeder/F1", coincidence=0.5)
    other = request(hand, node="transformer/D1")
    gone = request(hand, approved=250)
    client = client_of(hand.dsn)

    mine = client.get(f"/api/v1/load-requests/{own}/capacity").json()
    theirs = client.get(f"/api/v1/load-requests/{other}/capacity").json()

    # Its own 350 kVA are asked, not reserved; the promise without a place counts at the park.
    assert [(level["reserved_kva"], level["asked_kva"]) for level in mine["levels"]] == [
        (0, 350),
        (0, 350),
        (250, 350),
    ]
    assert "own_promise" in {one["code"] for one in mine["assumptions"]}
    assert {node: level["reserved_kva"] for node, level in levels(theirs).items()} == {
        "transformer/D1": 0,
        "feeder/F1": 350,
        "transformer/TR1": 350,
        "park": 600,
    }
    told = " ".join(one["en"] for one in theirs["assumptions"])
    assert own in told
    assert gone in told
    # The list of the whole network says the same.
    network = client.get("/api/v1/parks/netpark/headroom").json()
    assert {node["code"]: node["reserved_kva"] for node in network["nodes"]}["feeder/F1"] == 350


def test_transformers_of_a_station_are_held_to_n_minus_1_without_being_asked(hand, client_of):
    mains = {"TR1", "TR2"}
    together = [one.model_copy(update={"station": "S1"}) if one.code in mains else one for one in PARK.transformer]
    hand.load(PARK.model_copy(update={"transformer": tuple(together)}))

    answer = client_of(hand.dsn).get(URL, params={"kva": 100, "node": "transformer/TR1"}).json()

    station = answer["levels"][0]
    peak = 1.5 * 2630 / 0.9
    assert station["node"] == "transformer/TR1+TR2"
    assert station["limit_kva"] == {"load_share": 8000, "n_minus_1": 6500}
    assert (station["binding"], station["headroom_kva"]) == ("n_minus_1", pytest.approx(6500 - peak, abs=0.01))
    hand.load(PARK)
    apart = client_of(hand.dsn).get(URL, params={"kva": 100, "node": "transformer/TR1"}).json()
    assert apart["levels"][0]["limit_kva"]["n_minus_1"] is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"kva": 10, "node": "feeder/F9"}, "names 0 transformers or feeders"),
        ({"kva": 10, "from": "spring"}, "neither a month nor a day"),
        ({"kva": -1}, "greater than 0"),
        ({}, "kva"),
    ],
)
def test_a_what_if_that_makes_no_sense(plain_client, query, said):
    answer = plain_client.get("/api/v1/parks/testpark/capacity-simulation", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_there_is_no_capacity_of_what_is_not_there(plain_client):
    assert plain_client.get("/api/v1/parks/nowhere/capacity-simulation", params={"kva": 1}).status_code == 404
    assert plain_client.get("/api/v1/load-requests/LR-2026-999999/capacity").status_code == 404


def test_the_command_judges_a_place_or_a_request(hand, monkeypatch, capsys):
    code = request(hand, node="transformer/D1", wanted_on=date(2027, 3, 1))
    monkeypatch.setenv("SMARTPARK_DSN", hand.dsn)

    def run(*arguments):
        status = main(["headroom", "netpark", *arguments, "--at", NOON.isoformat()])
        said = capsys.readouterr()
        return status, said.out, said.err

    status, out, _ = run("--ask-kva", "2000", "--from", "2027-03", "--node", "feeder/F1")
    assert (status, out.splitlines()[1].startswith("Does not fit")) == (0, True)
    assert "transformer/TR1" in out
    _, out, _ = run("--request", code, "--zh")
    assert out.splitlines()[1].startswith("改造后可接入")
    _, out, _ = run("--request", code, "--json")
    assert json.loads(out)["asked"]["request"] == code
    assert run("--node", "feeder/F1")[2].count("--ask-kva") == 1
    assert "leave --node" in run("--request", code, "--node", "feeder/F1")[2]

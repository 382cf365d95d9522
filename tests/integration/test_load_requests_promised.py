"""What is promised to load requests takes from what is free, in the API and on the terminal, until they end."""

import json
from pathlib import Path

import pytest
from fix_api import NOON, ParkHand
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark.load_requests.events import Details, Moved, SchemeReplied, Withdrawn
from smartpark.load_requests.requests import RefusedEventError
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import RequestKind, Stage, VoltageClass
from smartpark.workdays import builtin_workdays
from smartpark_api.load_requests.service import Desk, act, open_request
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, put_person

PARK = load_catalogue(Path(__file__).parents[1] / "data" / "planning_park.toml")


def details(**given):
    return Details(
        **{
            "park": "netpark",
            "applicant": "厂",
            "kind": RequestKind.NEW_SUPPLY,
            "applied_kva": 600.0,
            "voltage": VoltageClass.LOW,
            "contact_role": "engineer",
            "node": "transformer/D1",
            "coincidence": 0.8,
        }
        | given
    )


def test_promises_are_taken_off_until_the_request_ends(plain_database_dsn, client_of, monkeypatch, capsys):
    hand = ParkHand(plain_database_dsn)
    hand.load(PARK)
    client = client_of(hand.dsn)

    def reserved(**query):
        nodes = client.get("/api/v1/parks/netpark/headroom", params=query).json()["nodes"]
        return {node["code"]: node["reserved_kva"] for node in nodes if node["reserved_kva"]}

    with connect(hand.dsn, application="test") as connection:
        put_person(connection, Person("chen", "陈", "Chen", ""))
        desk = Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, "chen")
        for wrong in ({"node": "transformer/X"}, {"enterprise": "X"}):
            with pytest.raises(RefusedEventError, match="netpark has no"):
                open_request(desk, details(**wrong))
        seen = open_request(desk, details())
        for body in (Moved(to=Stage.SURVEY), Moved(to=Stage.SCHEME_REPLY)):
            seen = act(desk, seen.code, body, expected=seen.version)
        connection.commit()
        assert reserved() == {}, "what is only asked for is not promised"
        with pytest.raises(RefusedEventError, match="netpark has no 'feeder/F9'"):
            act(desk, seen.code, SchemeReplied(approved_kva=500.0, node="feeder/F9"), expected=seen.version)
        seen = act(desk, seen.code, SchemeReplied(approved_kva=500.0), expected=seen.version)
        connection.commit()
        told = reserved()
        # 500 kVA x 0.8 at the distribution transformer and in everything above it.
        assert told.pop("park", 400.0) == 400.0
        assert told == {"transformer/D1": 400.0, "feeder/F1": 400.0, "transformer/TR1": 400.0}
        assert reserved(promised=False) == {}
        assert reserved(promised=False, reserved="F1=100")["feeder/F1"] == 100.0

        monkeypatch.setenv("SMARTPARK_DSN", hand.dsn)
        for option, expected in ((), 400.0), (("--without-requests",), 0.0):
            assert main(["headroom", "netpark", "--json", "--at", NOON.isoformat(), *option]) == 0
            answer = json.loads(capsys.readouterr().out)
            nodes = {node["code"]: node["reserved_kva"] for node in answer["nodes"]}
            assert nodes["feeder/F1"] == expected
            assert any("left out, as asked" in one for one in answer["assumptions"]) is bool(option)

        act(desk, seen.code, Withdrawn(reason="no need"), expected=seen.version)
        connection.commit()
        assert reserved() == {}, "what is given up is free again"

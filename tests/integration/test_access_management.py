"""Clients, keys, grants and sessions over HTTP: made, rotated, ended; the secret told once and kept by nobody."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fix_api import NOON
from fix_gate import CHIEF, OTHER, OWN, AccessServer
from smartpark.access import Grant, Role

ACCESS = "/api/v1/access"
ME = f"{ACCESS}/me"


def done(answer: httpx.Response, status: int = 200) -> Any:
    """Body of an answer of that status."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
def chief(access_server: AccessServer) -> httpx.Client:
    """The administrator of all parks."""
    return access_server.client(CHIEF)


def with_key(server: AccessServer, key: str) -> httpx.Client:
    """Whoever has a key."""
    server.keys["somebody"] = key
    return server.client("somebody")


def test_a_program_gets_access_step_by_step_and_loses_it_at_once(access_server: AccessServer, chief: httpx.Client):
    made = done(
        chief.post(f"{ACCESS}/clients", json={"client": "puller", "title": "Puller", "contact": "a@b.org"}), 201
    )
    assert (made["made_by"], made["disabled_at"]) == ("client:chief", None)
    key = done(chief.post(f"{ACCESS}/clients/puller/keys", json={"days": 10}), 201)
    puller = with_key(access_server, key["secret"])
    assert done(puller.get(ME))["scopes"] == []
    assert puller.get("/api/v1/parks").status_code == 403
    grant = done(chief.post(f"{ACCESS}/grants", json={"client": "puller", "role": "province", "park": OWN}), 201)
    assert [one["code"] for one in done(puller.get("/api/v1/parks"))["parks"]] == [OWN]
    me = done(puller.get(ME))
    assert me["principal"] == "client:puller"
    assert {one["scope"]: one["parks"] for one in me["scopes"]} == {"parks:read": [OWN], "aggregates:read": [OWN]}
    done(chief.put(f"{ACCESS}/clients/puller", json={"title": "Puller", "is_disabled": True}))
    assert "disabled" in puller.get(ME).json()["detail"]
    done(chief.put(f"{ACCESS}/clients/puller", json={"title": "Puller"}))
    assert puller.get(ME).status_code == 200
    done(chief.delete(f"{ACCESS}/grants/{grant['grant']}"), 204)
    assert puller.get("/api/v1/parks").status_code == 403
    assert chief.delete(f"{ACCESS}/grants/{grant['grant']}").status_code == 404
    done(chief.delete(f"{ACCESS}/keys/{key['key']}"), 204)
    assert "revoked" in puller.get(ME).json()["detail"]
    assert chief.delete(f"{ACCESS}/keys/{key['key']}").status_code == 409


def test_a_secret_is_told_once_and_kept_by_no_cache(access_server: AccessServer, chief: httpx.Client):
    answer = chief.post(f"{ACCESS}/clients/province/keys", json={"kind": "client_secret", "scopes": ["parks:read"]})
    secret = done(answer, 201)["secret"]
    assert answer.headers["cache-control"] == "no-store"
    told = [
        chief.get(path).text for path in (f"{ACCESS}/clients/province/keys", f"{ACCESS}/clients", "/api/v1/audit")
    ]
    assert not any(secret in one or secret[-28:] in one for one in told)
    (row,) = [one for one in done(chief.get(f"{ACCESS}/clients/province/keys"))["keys"] if one["key"] in secret]
    assert (row["kind"], row["scopes"], row["made_by"]) == ("client_secret", ["parks:read"], "client:chief")
    assert row["last_used_at"] is None


def test_rotated_the_old_key_goes_on_for_the_overlap(access_server: AccessServer, chief: httpx.Client):
    access_server.add("rotating", Grant(Role.PROVINCE, OWN))
    old = access_server.client("rotating")
    (row,) = done(chief.get(f"{ACCESS}/clients/rotating/keys"))["keys"]
    new = done(chief.post(f"{ACCESS}/keys/{row['key']}/rotate", json={"overlap_hours": 2}), 201)
    assert old.get(ME).status_code == 200
    assert with_key(access_server, new["secret"]).get(ME).status_code == 200
    rows = {one["key"]: one for one in done(chief.get(f"{ACCESS}/clients/rotating/keys"))["keys"]}
    assert datetime.fromisoformat(rows[row["key"]]["revoked_at"]) == NOON + timedelta(hours=2)
    assert rows[new["key"]]["revoked_at"] is None
    done(chief.post(f"{ACCESS}/keys/{new['key']}/rotate", json={"overlap_hours": 0}), 201)
    assert "revoked" in with_key(access_server, new["secret"]).get(ME).json()["detail"]
    assert chief.post(f"{ACCESS}/keys/{new['key']}/rotate", json={}).status_code == 409


def test_last_use_is_written_to_the_hour(access_server: AccessServer, chief: httpx.Client):
    access_server.add("used", Grant(Role.PROVINCE, OWN))
    done(access_server.client("used").get(ME))
    (row,) = done(chief.get(f"{ACCESS}/clients/used/keys"))["keys"]
    assert datetime.fromisoformat(row["last_used_at"]) == NOON


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clients", {"client": "Upper", "title": "x"}, 422),
        ("clients", {"client": "province", "title": "again"}, 409),
        ("clients/none/keys", {}, 404),
        ("clients/province/keys", {"kind": "access_token"}, 422),
        ("clients/province/keys", {"scopes": ["everything"]}, 422),
        ("clients/province/keys", {"days": 0}, 422),
        ("grants", {"role": "operator"}, 422),
        ("grants", {"person": "chen", "client": "province", "role": "operator"}, 422),
        ("grants", {"person": "ghost", "role": "operator", "park": OWN}, 422),
        ("grants", {"client": "ghost", "role": "operator", "park": OWN}, 422),
        ("grants", {"person": "chen", "role": "king", "park": OWN}, 422),
        ("grants", {"person": "chen", "role": "operator", "park": "nowhere"}, 422),
        ("grants", {"person": "chen", "role": "operator", "park": OWN, "until": "2020-01-01T00:00:00Z"}, 422),
        ("keys/zzzzzzzzzzzz/rotate", {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(chief: httpx.Client, path: str, body: Any, status: int):
    answer = chief.post(f"{ACCESS}/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_grants_are_listed_for_one_person_one_program_one_park(access_server: AccessServer, chief: httpx.Client):
    access_server.grant("lin", Grant(Role.OPERATOR, OTHER), Grant(Role.PROVINCE, None))
    mine = done(chief.get(f"{ACCESS}/grants", params={"person": "lin"}))["grants"]
    assert {(one["role"], one["park"]) for one in mine} == {("operator", OTHER), ("province", None)}
    in_own = done(chief.get(f"{ACCESS}/grants", params={"person": "lin", "park": OWN}))["grants"]
    assert [(one["role"], one["park"]) for one in in_own] == [("province", None)]
    assert done(chief.get(f"{ACCESS}/grants", params={"person": "lin", "client": "operator"}))["grants"] == []
    of_one_park = done(access_server.client("administrator").get(f"{ACCESS}/grants"))["grants"]
    assert {one["park"] for one in of_one_park} == {OWN}


def test_sessions_are_seen_and_ended_by_whoever_manages_the_person(access_server: AccessServer, chief: httpx.Client):
    access_server.grant("lin", Grant(Role.OPERATOR, OTHER))
    lin = access_server.session("lin")
    assert lin.get(ME).status_code == 200
    assert (
        done(access_server.client("administrator").get(f"{ACCESS}/sessions", params={"person": "lin"}))["sessions"]
        == []
    )
    sessions = done(chief.get(f"{ACCESS}/sessions", params={"person": "lin"}))["sessions"]
    number = sessions[0]["session"]
    assert access_server.client("administrator").delete(f"{ACCESS}/sessions/{number}").status_code == 404
    for one in sessions:
        done(chief.delete(f"{ACCESS}/sessions/{one['session']}"), 204)
    assert lin.get(ME).status_code == 401
    assert chief.delete(f"{ACCESS}/sessions/{number}").status_code == 404


def test_an_administrator_of_a_park_sees_the_programs_of_that_park(access_server: AccessServer):
    access_server.add("elsewhere", Grant(Role.OPERATOR, OTHER))
    listed = {
        one["client"] for one in done(access_server.client("administrator").get(f"{ACCESS}/clients"))["clients"]
    }
    assert {"operator", "province", "administrator"} <= listed
    assert "elsewhere" not in listed

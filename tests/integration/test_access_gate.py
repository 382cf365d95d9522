"""The gate: proofs that do not hold, how often somebody may ask, headers of every answer, and pages of nobody."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fix_api import NOON, serving
from fix_gate import AS_JSON, CHIEF, DETAILS, OTHER, OWN, AccessServer
from smartpark.access import Grant, Role
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import (
    SecretKind,
    disable_client,
    end_sessions_of,
    make_secret,
    read_secrets,
    revoke_secret,
)
from smartpark_storage.load_requests import Person, make_calendar_link, put_person

ME = "/api/v1/access/me"


@pytest.fixture
def server_with(access_server: AccessServer) -> Iterator[Callable[..., httpx.Client]]:
    """Another server over the same database, with settings of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> httpx.Client:
            given = {"dsn": access_server.dsn, "access": "enforced", **settings}
            app = create_app(ApiSettings.model_validate(given), clock=lambda: NOON)
            address = stack.enter_context(serving(app))
            return stack.enter_context(httpx.Client(base_url=address, headers=AS_JSON, timeout=60))

        yield make


def bearer(text: str) -> dict[str, str]:
    """Header that shows a secret."""
    return {"authorization": f"Bearer {text}"}


def told(answer: httpx.Response) -> str:
    """Detail of a 401."""
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "urn:smartpark:problem:not-logged-in"
    assert answer.headers["www-authenticate"] == 'Bearer realm="smartpark", error="invalid_token"'
    return answer.json()["detail"]


# --- what is shown and does not hold ---


def test_each_proof_that_does_not_hold_is_told_in_its_own_words(access_server: AccessServer):
    for name in ("gone", "old", "shut"):
        access_server.add(name, Grant(Role.OPERATOR, OWN), days=-1 if name == "old" else 30)
    with connect(access_server.dsn, application="test") as connection:
        (gone,) = read_secrets(connection, client="gone")
        revoke_secret(connection, gone.secret_id, by="test", at=NOON)
        disable_client(connection, "shut", at=NOON)
        kind, days = SecretKind.CLIENT_SECRET, timedelta(days=1)
        spc = make_secret(connection, "operator", kind, by="test", at=NOON - days, expires_at=NOON + days).text
        connection.commit()
    right = access_server.keys["operator"]
    client = access_server.client("nobody")
    assert "revoked" in told(client.get(ME, headers=bearer(access_server.keys["gone"])))
    assert "expired" in told(client.get(ME, headers=bearer(access_server.keys["old"])))
    assert "disabled" in told(client.get(ME, headers=bearer(access_server.keys["shut"])))
    assert "client secret" in told(client.get(ME, headers=bearer(spc)))
    assert "no key of ours" in told(client.get(ME, headers=bearer(right[:-1] + ("a" if right[-1] != "a" else "b"))))
    assert "no key of ours" in told(client.get(ME, headers=bearer("x" * 400)))
    for header in ("Basic b3BlcmF0b3I6eA==", "Bearer", "Bearer " + "x" * 2000, right, "Bearer ключ".encode()):
        assert "Bearer" in told(client.get(ME, headers={"authorization": header}))
    assert client.get(ME, headers=bearer(right)).status_code == 200
    assert client.get(ME, headers={"authorization": f"bearer  {right}"}).status_code == 200


def test_a_wrong_proof_opens_nothing_on_a_server_that_trusts_its_machine_either(
    access_server: AccessServer, server_with: Callable[..., httpx.Client]
):
    client = server_with(access="local")
    assert client.get(ME).json()["principal"] == "local"
    told(client.get(ME, headers=bearer("spk_" + "a" * 12 + "_" + "b" * 43)))
    known = client.get(ME, headers=bearer(access_server.keys["province"])).json()
    assert known["principal"] == "client:province"
    assert client.get("/api/v1/parks/testpark/now", headers=bearer(access_server.keys["province"])).status_code == 403
    # A cookie that is out of date is as if none had been shown.
    assert client.get(ME, headers={"cookie": "session=" + "A" * 43}).json()["principal"] == "local"


def test_what_is_open_to_all_stays_open_whatever_is_shown(access_server: AccessServer):
    client = access_server.client("nobody")
    assert client.get("/healthz", headers=bearer("nonsense")).status_code == 200
    assert client.get("/login", headers=bearer("nonsense")).status_code == 200


def test_rights_end_at_once_when_they_are_taken_away(access_server: AccessServer):
    access_server.add("brief", Grant(Role.OPERATOR, OWN))
    client, chief = access_server.client("brief"), access_server.client(CHIEF)
    assert client.get("/api/v1/parks/testpark/now").status_code == 200
    (grant,) = chief.get("/api/v1/access/grants", params={"client": "brief"}).json()["grants"]
    assert chief.delete(f"/api/v1/access/grants/{grant['grant']}").status_code == 204
    assert client.get("/api/v1/parks/testpark/now").status_code == 403


# --- people ---


def test_a_session_is_a_person_until_it_ends(access_server: AccessServer):
    access_server.grant("chen", Grant(Role.UTILITY_MANAGER, OWN))
    client = access_server.session("chen")
    assert client.get(ME).json()["principal"] == "person:chen"
    code = access_server.requests[OWN]
    made = client.post(f"/api/v1/load-requests/{code}/comments", json={"text": "by a person"})
    assert made.status_code == 201, made.text
    assert made.json()["events"][-1]["by"] == "chen"
    with connect(access_server.dsn, application="test") as connection:
        end_sessions_of(connection, "chen", by="test", at=NOON)
        connection.commit()
    assert "log in again" in told(client.get(ME))


def test_another_site_cannot_write_with_somebodys_cookie(access_server: AccessServer):
    access_server.grant("chen", Grant(Role.UTILITY_MANAGER, OWN))
    client = access_server.session("chen")
    address = f"/api/v1/load-requests/{access_server.requests[OWN]}/comments"
    for header in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = client.post(address, json={"text": "forged"}, headers=header)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:smartpark:problem:form-refused")
    ours = {"sec-fetch-site": "same-origin", "origin": access_server.address}
    assert client.post(address, json={"text": "ours"}, headers=ours).status_code == 201


def test_whoever_has_proved_who_they_are_acts_as_themselves(access_server: AccessServer):
    client = access_server.client("utility-manager")
    address = f"/api/v1/load-requests/{access_server.requests[OWN]}/comments"
    made = client.post(address, json={"text": "by a program"})
    assert made.json()["events"][-1]["by"] == "client:utility-manager"
    forged = client.post(address, json={"text": "as somebody else"}, headers={"Smartpark-Actor": "chen"})
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:smartpark:problem:nobody-acts")


def test_a_program_with_the_longest_of_names_acts_under_it(access_server: AccessServer):
    name = "x" * 63
    access_server.add(name, Grant(Role.UTILITY_MANAGER, OWN))
    address = f"/api/v1/load-requests/{access_server.requests[OWN]}/comments"
    made = access_server.client(name).post(address, json={"text": "by a program"})
    assert made.status_code == 201, made.text
    assert made.json()["events"][-1]["by"] == f"client:{name}"


def test_nobody_can_be_a_person_who_is_called_like_a_program(access_server: AccessServer):
    answer = access_server.client(CHIEF).put("/api/v1/persons/client:operator", json={"name": "x"})
    assert answer.status_code == 422


def test_whoever_opens_a_page_logs_in_first_and_comes_back(access_server: AccessServer):
    client = access_server.client("nobody", accept="text/html")
    answer = client.get("/requests?view=table&park=testpark")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?back=%2Frequests%3Fview%3Dtable%26park%3Dtestpark"
    part = client.get("/requests", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login?back=")
    written = client.post("/requests/new", data={"park": OWN})
    assert (written.status_code, written.headers["location"]) == (303, "/login")


# --- how often ---


@pytest.mark.usefixtures("minute_that_stands_still")
def test_a_principal_may_ask_so_often_and_hears_how_much_is_left(
    access_server: AccessServer, server_with: Callable[..., httpx.Client]
):
    client = server_with(requests_per_minute=5)
    key = bearer(access_server.keys["province"])
    answers = [client.get(ME, headers=key) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert [re.findall(r"r=(\d+)", one.headers["ratelimit"]) for one in answers] == [
        [str(n)] for n in (4, 3, 2, 1, 0, 0)
    ]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=5;w=60'
    last = answers[-1]
    assert last.json()["type"] == "urn:smartpark:problem:too-many-requests"
    assert 1 <= int(last.headers["retry-after"]) <= 120
    # Another one has a quota of their own.
    assert client.get(ME, headers=bearer(access_server.keys["operator"])).status_code == 200


@pytest.mark.usefixtures("minute_that_stands_still")
def test_an_address_that_fails_too_often_is_not_listened_to_but_for_what_has_held(
    access_server: AccessServer, server_with: Callable[..., httpx.Client]
):
    client = server_with(failures_per_minute=3)
    known, unknown = bearer(access_server.keys["operator"]), bearer(access_server.keys["province"])
    assert client.get(ME, headers=known).status_code == 200
    wrong = bearer("spk_" + "a" * 12 + "_" + "b" * 43)
    assert [client.get(ME, headers=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    late = client.get(ME, headers=unknown)
    assert (late.status_code, late.headers["ratelimit-policy"]) == (429, '"failures";q=3;w=60')
    assert int(late.headers["retry-after"]) >= 1
    assert client.get(ME, headers=known).status_code == 200
    assert client.get(ME).status_code == 429
    assert client.get("/healthz").status_code == 200


def test_the_machine_itself_is_not_counted(server_with: Callable[..., httpx.Client]):
    client = server_with(access="local", requests_per_minute=2)
    answers = [client.get(ME) for _ in range(5)]
    assert {one.status_code for one in answers} == {200}
    assert "ratelimit" not in answers[0].headers


# --- headers ---


def test_every_answer_of_the_api_carries_its_headers(access_server: AccessServer):
    client = access_server.client(CHIEF)
    seen: set[str] = set()
    for path in (
        "/api/v1/parks",
        "/api/v1/parks/nowhere",
        "/api/v1/nothing",
        "/api/v1/edges",
        "/api/v1/openapi.json",
    ):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in ("no-store", "private, no-cache")
        assert "strict-transport-security" not in headers
        seen.add(headers["x-request-id"])
    assert len(seen) == 5
    page = client.get("/", headers={"accept": "text/html"}).headers
    assert page["content-security-policy"].startswith("default-src 'self'")


def test_over_https_browsers_are_told_to_stay_with_it(access_server: AccessServer):
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    told_by_proxy = access_server.client(CHIEF).get("/api/v1/parks", headers=headers).headers
    assert told_by_proxy["strict-transport-security"] == "max-age=31536000"


def test_a_body_of_nobody_is_not_waited_for(access_server: AccessServer):
    """Nobody can make the server hold megabytes: the answer is there before a byte of the body is."""
    host, _, port = access_server.address.removeprefix("http://").partition(":")
    head = "POST /api/v1/load-requests HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000000\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_other_parks_are_not_told_of_in_a_refusal(access_server: AccessServer):
    answer = access_server.client("operator").get("/api/v1/parks/nowhere/now")
    assert OWN in answer.json()["detail"]
    assert OTHER not in answer.json()["detail"]


def test_whoever_has_a_token_sees_what_it_opens_and_needs_no_more(access_server: AccessServer):
    client = access_server.client("nobody")
    for park in (OWN, OTHER):
        shown = client.get(f"/applicant/{access_server.applicant_tokens[park]}")
        assert shown.status_code == 200
        assert access_server.requests[park] in shown.text
        calendar = client.get(f"/api/v1/calendars/{access_server.calendar_tokens[park]}.ics")
        assert calendar.status_code == 200
        assert access_server.requests[park] in calendar.text


def test_a_calendar_of_a_person_shows_no_more_than_they_may_see(access_server: AccessServer):
    with connect(access_server.dsn, application="test") as connection:
        put_person(connection, Person("gao", "高", "Gao", ""))
        token = make_calendar_link(connection, by="gao", at=NOON, person="gao")
        connection.commit()
    chief = access_server.client(CHIEF)
    for park in (OWN, OTHER):
        made = chief.post("/api/v1/load-requests", json={"details": {**DETAILS, "park": park}}).json()["request"]
        given = {"manager": "gao", "expected": made["version"]}
        assert chief.put(f"/api/v1/load-requests/{made['code']}/manager", json=given).status_code == 200
    nobody = access_server.client("nobody")
    assert "LR-" not in nobody.get(f"/api/v1/calendars/{token}.ics").text
    access_server.grant("gao", Grant(Role.UTILITY_MANAGER, OTHER))
    shown = nobody.get(f"/api/v1/calendars/{token}.ics").text
    assert made["code"] in shown
    assert len(set(re.findall(r"LR-2026-\d+", shown))) == 1


def test_a_server_that_trusts_its_machine_does_not_trust_what_is_passed_on_to_it(
    server_with: Callable[..., httpx.Client],
):
    client = server_with(access="local")
    assert client.get("/api/v1/parks").status_code == 200
    for name in ("x-forwarded-for", "x-real-ip", "forwarded", "via"):
        answer = client.get("/api/v1/parks", headers={name: "203.0.113.9"})
        assert (answer.status_code, "enforced" in answer.json()["detail"]) == (401, True)


def test_another_site_cannot_write_through_a_browser_on_the_machine(server_with: Callable[..., httpx.Client]):
    client = server_with(access="local")
    answer = client.post("/api/v1/calendars", json={"park": OWN}, headers={"origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:smartpark:problem:form-refused")

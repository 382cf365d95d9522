"""Every role on every route, in a park of its own and in another one, and nobody at all; with real keys.

The routes come from the app itself, so that a new one is in here without anybody thinking of it, and what is expected
comes from what it declares. So that this does not merely repeat the code, what matters most stands below by hand.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fix_gate import CHIEF, DETAILS, NOBODY, OTHER, OWN, AccessServer
from smartpark.access import ROLE_SCOPES, Grant, Role, Scope
from smartpark_api.access.declared import Declared, declared_routes
from smartpark_api.access.needs import EVERY_PARK, Need, NeedInPark, OpenToAll, Somebody

REFUSED = {"not-logged-in", "not-granted", "park-not-found", "point-not-found", "load-request-not-found"}
REFUSED |= {"alert-not-found", "silence-not-found"}
ROLES = {role.value.replace("_", "-"): role for role in Role}
VALUES = {
    "attachment": "0" * 32,
    "client": "province",
    "digest": "0" * 12,
    "duty": "deputy",
    "grant": "999999",
    "key": "zzzzzzzzzzzz",
    "key_id": "0" * 16,
    "name": "none",
    "rule": "none-such",
    "period": "2026-10",
    "person": "nobody-yet",
    "sequence": "1",
    "session": "none",
    "token": "A" * 43,
    "valid_from": "2031-01-01",
}
"""What stands in the addresses where it is not a park's: well formed, and nothing that there is."""


def address_of(route: Declared, server: AccessServer, park: str) -> str:
    """Address of a route that is about a park."""
    path = route.path.replace(":path}", "}")
    in_park = {"park": park, "code": server.requests[park] if "requests/{code}" in path else park}
    in_park |= {"link_id": str(server.links[park] if "/links/" in path else 999_999)}
    in_park |= {"alert": str(server.alerts[park]), "silence": str(server.silences[park])}
    if "/requests/board/{code}" in path:
        in_park["code"] = server.requests[park]
    if path.endswith("/points/{key}/series"):
        in_park["key"] = f"{park}/M0/active_power"
    path = path.format_map(VALUES | in_park)
    if path.endswith("/stream"):
        return f"{path}?seconds=0"
    asked = isinstance(route.declaration, Need) and str(route.declaration.park).startswith("query.")
    return f"{path}?park={park}" if asked else path


def slug_of(answer: httpx.Response) -> str:
    """Kind of a problem; empty for what is none."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return answer.json()["type"].rpartition(":")[2]
    return ""


def expected(route: Declared, name: str, park: str) -> int | None:
    """Status of a refusal; None: whatever is answered to whoever is let through."""
    need = route.declaration
    if isinstance(need, OpenToAll):
        return None
    if name == NOBODY:
        return 401
    if isinstance(need, Somebody) or name == CHIEF:
        return None
    if need.scope not in ROLE_SCOPES[ROLES[name]] or need.park == EVERY_PARK:
        return 403
    is_about_a_park = isinstance(need, NeedInPark) or need.park is not None
    return 404 if is_about_a_park and park == OTHER else None


def test_every_role_on_every_route(access_server: AccessServer):
    routes = declared_routes(access_server.app)
    assert len(routes) > 100
    wrong: list[str] = []
    for name in (NOBODY, *ROLES, CHIEF):
        client = access_server.client(name)
        for route in routes:
            # Who hears the same in both parks is asked about one.
            for park in (OWN, OTHER) if expected(route, name, OTHER) == 404 else (OWN,):
                answer = client.request(route.method, address_of(route, access_server, park))
                complaint = complaint_of(answer, expected(route, name, park))
                if complaint:
                    wrong.append(f"{name} {route.method} {address_of(route, access_server, park)}: {complaint}")
    assert not wrong, "\n".join(wrong)


def complaint_of(answer: httpx.Response, status: int | None) -> str:
    """What is wrong with an answer."""
    slug = slug_of(answer)
    if status is None:
        is_refused = slug in REFUSED or answer.status_code in (401, 429) or answer.status_code >= 500
        if answer.status_code == 501:
            is_refused = slug != "not-configured"
        return f"refused with {answer.status_code} {answer.text[:200]}" if is_refused else ""
    if answer.status_code != status or (answer.is_error and slug not in REFUSED):
        return f"{answer.status_code} {slug} instead of {status}"
    if status == 401 and not answer.headers["www-authenticate"].startswith("Bearer"):
        return "no challenge"
    return ""


# --- by hand: who, what, and the status, written down without looking at the code ---

BY_HAND = [
    # A province pulls aggregates and knows which parks there are. It sees no meter, no figure, no request, no person.
    ("province", "GET", "/api/v1/parks", 200),
    ("province", "GET", "/api/v1/parks/testpark", 403),
    ("province", "GET", "/api/v1/parks/testpark/now", 403),
    ("province", "GET", "/api/v1/parks/testpark/points", 403),
    ("province", "GET", "/api/v1/points/testpark/M0/active_power/series", 403),
    ("province", "GET", "/api/v1/parks/testpark/indicators", 403),
    ("province", "GET", "/api/v1/parks/testpark/figures", 403),
    ("province", "GET", "/api/v1/load-requests", 403),
    ("province", "GET", "/api/v1/load-requests/{own}", 403),
    ("province", "GET", "/api/v1/persons", 403),
    ("province", "GET", "/api/v1/aggregates", 200),
    ("province", "GET", "/api/v1/aggregates?park=testpark", 200),
    ("province", "GET", "/api/v1/aggregates?park=netpark", 404),
    ("province", "GET", "/api/v1/aggregates?park=nowhere", 404),
    ("province", "GET", "/api/v1/aggregates/digest?park=netpark", 404),
    ("province", "GET", "/api/v1/submissions?park=netpark", 404),
    ("province", "POST", "/api/v1/submissions", 403),
    ("province", "GET", "/api/v1/audit", 403),
    ("province", "GET", "/api/v1/access/clients", 403),
    ("province", "GET", "/api/v1/access/me", 200),
    ("province", "GET", "/parks/testpark", 403),
    # An operator sees all of their park and nothing of another; changes no request, and nobody's access.
    ("operator", "GET", "/api/v1/parks/testpark/now", 200),
    ("operator", "GET", "/api/v1/parks/netpark/now", 404),
    ("operator", "GET", "/api/v1/parks/nowhere/now", 404),
    ("operator", "GET", "/api/v1/parks/testpark/figures", 200),
    ("operator", "GET", "/api/v1/parks/netpark/figures", 404),
    ("operator", "GET", "/api/v1/points/testpark/M0/active_power/series", 200),
    ("operator", "GET", "/api/v1/points/netpark/M0/active_power/series", 404),
    ("operator", "GET", "/api/v1/load-requests/{own}", 200),
    ("operator", "GET", "/api/v1/load-requests/{other}", 404),
    ("operator", "POST", "/api/v1/load-requests/{own}/comments", 403),
    ("operator", "PUT", "/api/v1/persons/new", 403),
    ("operator", "GET", "/api/v1/edges", 403),
    ("operator", "GET", "/api/v1/audit", 403),
    ("operator", "POST", "/api/v1/access/grants", 403),
    ("operator", "GET", "/parks/testpark", 200),
    ("operator", "GET", "/parks/netpark", 404),
    ("operator", "GET", "/requests/{other}", 404),
    # A utility manager works on the load requests of their park.
    ("utility-manager", "GET", "/api/v1/load-requests/{own}/events", 200),
    ("utility-manager", "GET", "/api/v1/load-requests/{other}/events", 404),
    ("utility-manager", "POST", "/api/v1/load-requests/{other}/comments", 404),
    ("utility-manager", "GET", "/api/v1/load-requests/{other}/attachments", 404),
    ("utility-manager", "POST", "/api/v1/load-requests/{other}/links", 404),
    ("utility-manager", "GET", "/api/v1/parks/testpark/figures", 403),
    ("utility-manager", "GET", "/api/v1/aggregates", 403),
    ("utility-manager", "PUT", "/api/v1/persons/new", 403),
    ("utility-manager", "GET", "/requests", 200),
    # An administrator of one park may do everything there, nothing elsewhere, and nothing to the installation.
    ("administrator", "GET", "/api/v1/parks/testpark/managers", 200),
    ("administrator", "GET", "/api/v1/parks/netpark/managers", 404),
    ("administrator", "GET", "/api/v1/audit", 200),
    ("administrator", "GET", "/api/v1/audit?park=testpark", 200),
    ("administrator", "GET", "/api/v1/audit?park=netpark", 404),
    ("administrator", "GET", "/api/v1/edges", 403),
    ("administrator", "GET", "/api/v1/access/clients", 200),
    # The administrator of all parks.
    (CHIEF, "GET", "/api/v1/parks/netpark/now", 200),
    (CHIEF, "GET", "/api/v1/edges", 200),
    (CHIEF, "GET", "/api/v1/dead-letters/summary", 200),
    (CHIEF, "GET", "/api/v1/parks/nowhere/now", 404),
    # Nobody.
    (NOBODY, "GET", "/api/v1/parks", 401),
    (NOBODY, "GET", "/api/v1/aggregates", 401),
    (NOBODY, "GET", "/api/v1/access/me", 401),
    (NOBODY, "GET", "/", 401),
    (NOBODY, "GET", "/requests", 401),
    (NOBODY, "GET", "/people", 401),
    (NOBODY, "POST", "/api/v1/load-requests", 401),
    (NOBODY, "DELETE", "/api/v1/webhooks/x", 401),
    (NOBODY, "GET", "/healthz", 200),
    (NOBODY, "GET", "/readyz", 200),
    (NOBODY, "GET", "/api/v1/openapi.json", 200),
    (NOBODY, "GET", "/login", 200),
    (NOBODY, "GET", "/applicant/" + "A" * 43, 404),
]


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: " ".join(map(str, case)))
def test_by_hand(access_server: AccessServer, clients: dict[str, httpx.Client], case: tuple[str, str, str, int]):
    name, method, path, status = case
    path = path.format(own=access_server.requests[OWN], other=access_server.requests[OTHER])
    answer = clients[name].request(method, path)
    assert answer.status_code == status, answer.text[:500]


@pytest.fixture(scope="module")
def clients(access_server: AccessServer) -> Iterator[dict[str, httpx.Client]]:
    """One of each."""
    return {name: access_server.client(name) for name in (NOBODY, *ROLES, CHIEF)}


BODIES: list[tuple[str, str, str, dict[str, Any], int]] = [
    ("utility-manager", "POST", "/api/v1/load-requests", {"details": {**DETAILS, "park": OWN}}, 201),
    ("utility-manager", "POST", "/api/v1/load-requests", {"details": {**DETAILS, "park": OTHER}}, 404),
    ("utility-manager", "POST", "/api/v1/load-requests", {"details": {**DETAILS, "park": "nowhere"}}, 404),
    ("utility-manager", "POST", "/api/v1/load-requests/{own}/comments", {"text": "seen"}, 201),
    ("utility-manager", "POST", "/api/v1/calendars", {"park": OWN}, 201),
    ("utility-manager", "POST", "/api/v1/calendars", {"park": OTHER}, 404),
    ("utility-manager", "POST", "/api/v1/calendars", {"person": "lin"}, 403),
    ("utility-manager", "PUT", "/api/v1/webhooks/all", {"url": "https://127.0.0.1:9/", "secret_ref": "a"}, 403),
    ("operator", "POST", "/api/v1/parks/netpark/figures", {"entered_by": "x", "figures": []}, 404),
    ("operator", "POST", "/api/v1/submissions", {"park": OTHER, "period": "2026-10"}, 404),
    ("province", "POST", "/api/v1/submissions", {"park": OWN, "period": "2026-10"}, 403),
    ("administrator", "PUT", "/api/v1/persons/wang", {"name": "Wang"}, 200),
    ("administrator", "PUT", "/api/v1/persons/chen", {"name": "Chen"}, 200),
    ("administrator", "PUT", "/api/v1/persons/lin", {"name": "not Lin any more"}, 403),
    ("administrator", "PUT", "/api/v1/parks/netpark/managers/deputy/2026-03-01", {"person": "chen"}, 404),
    ("administrator", "POST", "/api/v1/access/grants", {"person": "chen", "role": "operator", "park": OWN}, 201),
    ("administrator", "POST", "/api/v1/access/grants", {"person": "chen", "role": "operator", "park": OTHER}, 404),
    ("administrator", "POST", "/api/v1/access/grants", {"person": "chen", "role": "administrator"}, 403),
    ("administrator", "POST", "/api/v1/access/clients/chief/keys", {}, 403),
    ("administrator", "PUT", "/api/v1/access/clients/chief", {"title": "x", "is_disabled": True}, 403),
    ("administrator", "POST", "/api/v1/access/clients/operator/keys", {"days": 1}, 201),
    (CHIEF, "POST", "/api/v1/access/grants", {"client": "operator", "role": "province", "park": OTHER}, 201),
    ("administrator", "POST", "/api/v1/access/clients/operator/keys", {"days": 1}, 403),
]


def test_what_a_body_names_has_to_be_theirs_too(access_server: AccessServer, clients: dict[str, httpx.Client]):
    """In order: the last two show that a key is nobody's to make who does not administer all that it opens."""
    for name, method, path, body, status in BODIES:
        path = path.format(own=access_server.requests[OWN])  # noqa: PLW2901  the address with its number in it
        answer = clients[name].request(method, path, json=body)
        assert answer.status_code == status, f"{name} {method} {path} {body}: {answer.text[:500]}"


def test_several_at_once_are_refused_when_one_is_not_theirs(
    access_server: AccessServer, clients: dict[str, httpx.Client]
):
    asked = [{"code": access_server.requests[park], "expected": 2} for park in (OWN, OTHER)]
    body = {"manager": "chen", "requests": asked}
    answer = clients["utility-manager"].post("/api/v1/load-requests/assignments", json=body)
    assert (answer.status_code, slug_of(answer)) == (404, "load-request-not-found")


def test_a_park_that_is_not_theirs_is_told_like_one_that_there_is_none_of(clients: dict[str, httpx.Client]):
    for path in ("/api/v1/parks/{}/now", "/api/v1/parks/{}/figures", "/api/v1/points/{}/M0/active_power/series"):
        answers = [clients["operator"].get(path.format(park)) for park in (OTHER, "nowhere")]
        told = [{**one.json(), "instance": ""} for one in answers]
        assert str(told[0]).replace(OTHER, "nowhere") == str(told[1])


def test_lists_end_at_the_parks_of_whoever_asks(access_server: AccessServer, clients: dict[str, httpx.Client]):
    def asked(name: str, path: str) -> Any:
        answer = clients[name].get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    everywhere = {access_server.requests[OWN], access_server.requests[OTHER]}
    assert {one["code"] for one in asked(CHIEF, "/api/v1/parks")["parks"]} == {OWN, OTHER}
    assert {one["code"] for one in asked("province", "/api/v1/parks")["parks"]} == {OWN}
    assert {one["code"] for one in asked(CHIEF, "/api/v1/load-requests?limit=1000")["requests"]} >= everywhere
    listed = asked("utility-manager", "/api/v1/load-requests?limit=1000")["requests"]
    assert {one["park"] for one in listed} == {OWN}
    assert asked("utility-manager", f"/api/v1/load-requests?park={OTHER}")["requests"] == []
    shown = asked("utility-manager", "/api/v1/load-requests/board")["columns"]
    assert {card["park"] for column in shown for card in column["cards"]} == {OWN}
    assert sum(column["count"] for column in shown) == len(listed)
    assert OTHER not in clients["utility-manager"].get("/api/v1/load-requests/export").text
    urgent = asked("utility-manager", "/api/v1/load-requests/kpis")
    assert access_server.requests[OTHER] not in str(urgent)
    calendars = asked("utility-manager", "/api/v1/calendars")["calendars"]
    assert {one["park"] for one in calendars} == {OWN}
    assert {one["code"] for one in asked("operator", "/api/v1/persons")["persons"]} >= {"chen"}
    assert "lin" not in {one["code"] for one in asked("operator", "/api/v1/persons")["persons"]}
    assert {"chen", "lin"} <= {one["code"] for one in asked(CHIEF, "/api/v1/persons")["persons"]}
    assert {one["park"] for one in asked("administrator", "/api/v1/audit?limit=1000")["entries"]} == {OWN}


def test_pages_show_only_the_parks_of_whoever_looks(access_server: AccessServer, clients: dict[str, httpx.Client]):
    html = {"accept": "text/html"}
    for path in ("/", "/requests", "/requests?view=table", "/requests/kpis", "/people", "/parks/testpark"):
        page = clients["utility-manager"].get(path, headers=html)
        assert page.status_code == 200, page.text[:1000]
        assert OTHER not in page.text, path
        assert "网络园区" not in page.text, path
        assert access_server.requests[OTHER] not in page.text, path
        assert OTHER in clients[CHIEF].get(path, headers=html).text, path


def test_agents_and_dead_letters_are_for_whoever_runs_the_installation(clients: dict[str, httpx.Client]):
    of_one, of_all = (clients[name].get("/api/v1/parks/testpark/now").json() for name in ("operator", CHIEF))
    assert (of_one["agents"], of_one["dead_letters"]) == (None, None)
    assert of_all["agents"] == []
    assert of_all["dead_letters"]["total"] == 0
    assert {**of_one, "agents": 0, "dead_letters": 0} == {**of_all, "agents": 0, "dead_letters": 0}


def test_a_key_does_no_more_than_it_was_made_for(access_server: AccessServer):
    access_server.add("narrow", Grant(Role.ADMINISTRATOR, None), scopes=(Scope.PARKS_READ,))
    client = access_server.client("narrow")
    assert client.get("/api/v1/parks").status_code == 200
    assert client.get("/api/v1/parks/testpark/now").status_code == 403
    assert client.get("/api/v1/access/clients").status_code == 403
    me = client.get("/api/v1/access/me").json()
    assert [one["scope"] for one in me["scopes"]] == ["parks:read"]

"""What somebody tries who wants more than they were granted, or to do harm without any right at all."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fix_api import NOON, serving
from fix_gate import AS_JSON, CHIEF, LONG_AGO, OTHER, OWN, AccessServer
from smartpark.access import Grant, Role, Scope
from smartpark.clock import utc_now
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import add_grant

ACCESS = "/api/v1/access"


def answered(answer: httpx.Response, status: int) -> Any:
    """Body of an answer of that status."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else {}


def test_nobody_fills_the_audit_log_by_addresses_where_nobody_is_looked_up(access_server: AccessServer):
    settings = ApiSettings(dsn=access_server.dsn, access="enforced", requests_per_minute=5)
    app = create_app(settings, clock=lambda: NOON)
    paths = ("/oauth/token", "/healthz", "/healthz-of-mine", "/assets/x")
    with serving(app) as address, httpx.Client(base_url=address, headers=AS_JSON, timeout=60) as nobody:
        statuses = [nobody.post(paths[n % 4], content=b"x").status_code for n in range(9)]
        reads = [nobody.get("/healthz").status_code for _ in range(6)]

    assert statuses[:5] == [400, 405, 404, 404, 400]
    assert statuses[5:] == [429] * 4
    assert reads == [200] * 6


@pytest.mark.parametrize("asked", [{}, {"scopes": ["access:manage", "audit:read"]}])
def test_a_narrow_key_makes_no_wider_one(access_server: AccessServer, asked: dict[str, list[str]]):
    name = f"narrow-{len(asked)}"
    access_server.add(name, Grant(Role.ADMINISTRATOR, OWN), scopes=(Scope.ACCESS_MANAGE,))
    narrow, wide = access_server.client(name), access_server.client(CHIEF)
    other = answered(wide.post(f"{ACCESS}/clients/{name}/keys", json={"days": 2, **asked}), 201)["key"]

    said = answered(narrow.post(f"{ACCESS}/clients/{name}/keys", json={"days": 1, **asked}), 403)
    answered(narrow.post(f"{ACCESS}/keys/{other}/rotate", json={}), 403)

    assert "access:manage only" in said["detail"]
    answered(narrow.post(f"{ACCESS}/clients/{name}/keys", json={"days": 1, "scopes": ["access:manage"]}), 201)
    answered(narrow.delete(f"{ACCESS}/keys/{other}"), 204)


def test_whoever_had_rights_elsewhere_gets_no_lasting_key_here(access_server: AccessServer):
    """They may have them again, and so would whoever keeps the key."""
    access_server.add("own-admin", Grant(Role.ADMINISTRATOR, OWN))
    access_server.add("seasonal", Grant(Role.PROVINCE, OTHER))
    chief, own = access_server.client(CHIEF), access_server.client("own-admin")
    (grant,) = answered(chief.get(f"{ACCESS}/grants", params={"client": "seasonal"}), 200)["grants"]
    (key,) = answered(chief.get(f"{ACCESS}/clients/seasonal/keys"), 200)["keys"]
    answered(chief.delete(f"{ACCESS}/grants/{grant['grant']}"), 204)

    answered(own.post(f"{ACCESS}/clients/seasonal/keys", json={"days": 700}), 403)
    answered(own.post(f"{ACCESS}/keys/{key['key']}/rotate", json={}), 403)
    answered(chief.post(f"{ACCESS}/clients/seasonal/keys", json={"days": 1}), 201)


@pytest.mark.parametrize("is_announced", [True, False])
def test_whoever_has_few_rights_fills_no_memory_with_a_body(access_server: AccessServer, *, is_announced: bool):
    """It would be read before anybody asks for rights."""
    body = bytes(9 * 2**20)
    content = body if is_announced else iter([body[: 2**20]] * 9)
    chief = access_server.client(CHIEF)

    said = answered(access_server.client("province").post(f"{ACCESS}/clients", content=content), 413)

    assert said["type"] == "urn:smartpark:problem:body-too-large"
    asked = {"principal": "client:province", "action": "makeClient" if not is_announced else "(POST)"}
    assert answered(chief.get("/api/v1/audit", params=asked), 200)["entries"][0]["status"] == 413


@pytest.mark.parametrize(
    "form", [("link", {"hours": "1"}), ("bind", {"issuer": "https://idp.example", "subject": "me"})]
)
def test_a_narrow_key_lets_nobody_in_as_a_person(access_server: AccessServer, form: tuple[str, dict[str, str]]):
    verb, fields = form
    access_server.add(f"for-{verb}", Grant(Role.ADMINISTRATOR, OWN), scopes=(Scope.ACCESS_MANAGE,))
    narrow = access_server.client(f"for-{verb}")
    page = narrow.get("/access/people/chen", headers={"accept": "text/html"}).text
    (token, *_) = re.findall(r'name="csrf" value="([^"]+)"', page)

    said = answered(narrow.post(f"/access/people/chen/{verb}", data={"csrf": token, **fields}), 403)

    assert "access:manage only" in said["detail"]


def test_whose_right_ends_cannot_make_it_last(access_server: AccessServer):
    access_server.add("visiting")
    ends = utc_now().replace(microsecond=0) + timedelta(days=7)
    with connect(access_server.dsn, application="test") as connection:
        role = Grant(Role.ADMINISTRATOR, OWN)
        add_grant(connection, "client:visiting", role, by="test", at=LONG_AGO, until=ends)
        connection.commit()
    visiting = access_server.client("visiting")
    asked = {"client": "visiting", "role": "administrator", "park": OWN}

    for until in (None, (ends + timedelta(seconds=1)).isoformat()):
        said = answered(visiting.post(f"{ACCESS}/grants", json=asked | {"until": until}), 403)
        assert "your own right to grant ends at" in said["detail"]

    asked["role"] = "province"
    answered(visiting.post(f"{ACCESS}/grants", json=asked | {"until": ends.isoformat()}), 201)
    answered(access_server.client(CHIEF).post(f"{ACCESS}/grants", json=asked), 201)

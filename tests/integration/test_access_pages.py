"""Access as administrators handle it on pages: roles, links, accounts, keys shown once, sessions, the audit log."""

import re
from datetime import timedelta

import httpx
import pytest
from fix_api import NOON
from fix_console import CHEN, LIN, WU, Page
from fix_people import log_in, use_link
from smartpark.access import Grant, Role
from smartpark_storage import connect
from smartpark_storage.access import (
    AuditEntry,
    add_audit,
    add_client,
    add_grant,
    end_grant,
    end_sessions_of,
    read_grants,
    read_identities,
    read_secrets,
    read_sessions,
    unbind_identity,
)


@pytest.fixture
def server(login_server):
    """Lin is administrator of all parks; nobody else has rights, accounts or sessions."""
    login_server.now = NOON
    login_server.idp.accounts = {"wu-1": {"name": "Wu", "email": "", "email_verified": False}}
    with connect(login_server.dsn, application="test") as connection:
        for one in read_grants(connection, at=NOON):
            end_grant(connection, one.grant_id, by="test", at=NOON - timedelta(hours=1))
        for one in read_identities(connection):
            unbind_identity(connection, one.issuer, one.subject)
        for person in (CHEN, LIN, WU):
            end_sessions_of(connection, person.code, by="test", at=NOON)
        connection.commit()
    login_server.grant(LIN.code)
    return login_server


@pytest.fixture
def lin(server):
    return server.lin_by_link()


def flash(answer, visitor):
    page = visitor.get(answer.headers["location"])
    return [one["text"] for one in page.all("div") if "flash" in one.get("class", "").split()]


def send(visitor, page, path, **fields):
    """Send a form of a page; its answer."""
    return visitor.send(path, fields, token=visitor.get(page).csrf)


def grants_of(server, principal):
    with connect(server.dsn, application="test") as connection:
        return [(one.role, one.park) for one in read_grants(connection, principal=principal, at=server.now)]


# --- people -------------------------------------------------------------------------------------------------------


def test_a_role_is_granted_counts_at_once_and_is_taken_away(server, lin):
    wu = server.visitor()
    use_link(wu, server.link(WU.code))
    assert wu.client.get("/requests").status_code == 403

    answer = send(lin, "/access/people/wu", "/access/people/wu/grant", role="utility_manager", park="testpark")
    assert flash(answer, lin) == ["已授予"]
    assert grants_of(server, "person:wu") == [(Role.UTILITY_MANAGER, "testpark")]
    assert wu.client.get("/requests").status_code == 200
    assert wu.client.get("/access").status_code == 403

    page = lin.get("/access/people/wu")
    number = page.one("input", name="grant")["value"]
    answer = lin.send("/access/grants/end", {"grant": number, "back": "/access/people/wu"}, token=page.csrf)
    assert flash(answer, lin) == ["已收回"]
    assert grants_of(server, "person:wu") == []
    assert wu.client.get("/requests").status_code == 403


def test_a_role_may_have_a_last_day(server, lin):
    send(lin, "/access/people/wu", "/access/people/wu/grant", role="operator", park="testpark", last_day="2026-11-30")
    row = lin.get("/access/people/wu").all("tr")[1]["text"]
    assert "2026-12-01 00:00" in row

    wrong = send(lin, "/access/people/wu", "/access/people/wu/grant", role="operator", park="", last_day="2026-11-21")
    assert flash(wrong, lin) == ["最后一天已经过去"]
    wrong = send(lin, "/access/people/wu", "/access/people/wu/grant", role="operator", park="", last_day="soon")
    assert flash(wrong, lin) == ["请填写有效的日期"]


@pytest.mark.parametrize(
    ("code", "fields", "told"),
    [
        ("wu", {"role": "king", "park": "testpark"}, "role"),
        ("wu", {"role": "operator", "park": "elsewhere"}, "elsewhere"),
        ("nobody", {"role": "operator", "park": "testpark"}, "nobody"),
    ],
)
def test_what_cannot_be_granted_is_told(lin, code, fields, told):
    answer = lin.send(f"/access/people/{code}/grant", fields, token=lin.get("/access").csrf)

    assert answer.status_code == 303
    page = lin.get("/access")
    (message,) = [one["text"] for one in page.all("div") if "flash" in one.get("class", "").split()]
    assert message.startswith("未完成")
    assert told in message


def test_a_link_is_shown_once_and_lets_its_person_in(server, lin):
    answer = send(lin, "/access/people/chen", "/access/people/chen/link", hours="8")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    link = Page(answer.text).one("input", **{"aria-label": "登录链接"})["value"]
    assert link.startswith(f"{server.address}/login/link/")
    assert "/login/link/" not in lin.get("/access/people/chen").html
    chen = server.visitor()
    assert use_link(chen, link.removeprefix(server.address)).status_code == 303
    assert "陈明" in chen.get("/me").html
    entry = server.audit("makeLinkForPerson")[0]
    assert (entry.principal, entry.detail) == ("person:lin", {"person": "chen", "hours": 8})
    assert link.rpartition("/")[2] not in repr(entry)


def test_an_account_is_bound_and_unbound(server, lin):
    refused = log_in(server.visitor(), "wu-1")
    told = [one["text"] for one in Page(refused.text).all("dd")]
    assert told == ["wu-1", server.idp.address]

    answer = send(lin, "/access/people/wu", "/access/people/wu/bind", issuer=told[1], subject=told[0])
    assert flash(answer, lin) == ["已绑定"]
    assert log_in(server.visitor(), "wu-1").status_code == 303
    again = send(lin, "/access/people/chen", "/access/people/chen/bind", issuer=told[1], subject=told[0])
    assert flash(again, lin) == ["wu-1 已绑定给别人"]
    foreign = send(lin, "/access/people/chen", "/access/people/chen/bind", issuer="https://evil.example", subject="x")
    assert flash(foreign, lin) == ["请填写认证方和账号标识"]

    answer = send(lin, "/access/people/wu", "/access/people/wu/unbind", issuer=told[1], subject=told[0])
    assert flash(answer, lin) == ["已解除绑定"]
    assert log_in(server.visitor(), "wu-1").status_code == 403


def test_somebody_is_logged_out_by_an_administrator(server, lin):
    visitors = [server.visitor() for _ in range(2)]
    for one in visitors:
        use_link(one, server.link(CHEN.code))
    page = lin.get("/access/sessions")
    rows = [one["text"] for one in page.all("tr") if "陈明" in one["text"]]
    assert len(rows) == 2
    with connect(server.dsn, application="test") as connection:
        first = read_sessions(connection, person="chen", at=NOON)[0].session_id

    answer = lin.send("/access/people/chen/logout", {"session": first, "back": "/access/sessions"}, token=page.csrf)
    assert answer.headers["location"] == "/access/sessions"
    assert sorted(one.client.get("/me").status_code for one in visitors) == [200, 303]
    lin.send("/access/people/chen/logout", {}, token=page.csrf)
    assert [one.client.get("/me").status_code for one in visitors] == [303, 303]
    gone = lin.send("/access/people/chen/logout", {"session": first}, token=page.csrf)
    assert flash(gone, lin) == ["该登录已结束"]


# --- administrators of some parks ---------------------------------------------------------------------------------


@pytest.fixture
def wu(server):
    """Wu, administrator of `testpark` alone."""
    server.grant(WU.code, Role.ADMINISTRATOR, "testpark")
    visitor = server.visitor()
    use_link(visitor, server.link(WU.code))
    return visitor


def test_an_administrator_of_one_park_grants_in_that_park_only(server, wu):
    page = wu.get("/access/people/chen")
    assert [one["value"] for one in page.all("option") if one["value"] in {"", "testpark"}] == ["testpark"]
    fields = {"role": "operator", "park": "testpark"}
    assert wu.send("/access/people/chen/grant", fields, token=page.csrf).status_code == 303
    assert grants_of(server, "person:chen") == [(Role.OPERATOR, "testpark")]

    refused = wu.send("/access/people/chen/grant", {"role": "operator", "park": ""}, token=page.csrf)
    assert refused.status_code == 403
    assert grants_of(server, "person:chen") == [(Role.OPERATOR, "testpark")]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/access/people/lin/link", {"hours": "1"}),
        ("/access/people/lin/bind", {"issuer": "x", "subject": "wu-1"}),
        ("/access/people/lin/logout", {}),
    ],
)
def test_whoever_has_rights_elsewhere_is_nobodys_to_become_or_shut_out(server, wu, lin, path, fields):
    page = wu.get("/access/people/lin")
    assert "登录方式" not in page.html
    assert page.all("input", name="grant") == []

    assert wu.send(path, fields, token=page.csrf).status_code == 403
    assert lin.client.get("/me").status_code == 200
    refusal = server.audit()[0]
    assert (refusal.principal, refusal.status) == ("person:wu", 403)


def test_a_right_of_all_parks_is_not_ended_by_an_administrator_of_one(server, wu):
    with connect(server.dsn, application="test") as connection:
        number = next(one.grant_id for one in read_grants(connection, principal="person:lin", at=NOON))

    answer = wu.send("/access/grants/end", {"grant": str(number)}, token=wu.get("/access").csrf)
    assert "no grant" in flash(answer, wu)[0]
    assert grants_of(server, "person:lin") == [(Role.ADMINISTRATOR, None)]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.UTILITY_MANAGER, Role.PROVINCE])
def test_other_roles_do_not_see_these_pages(server, role):
    server.grant(CHEN.code, role, None)
    chen = server.visitor()
    use_link(chen, server.link(CHEN.code))

    for path in ("/access", "/access/people/wu", "/access/programs", "/access/sessions", "/access/audit"):
        page = chen.get(path, status=403)
        assert page.all("a", href="/access") == []
        assert page.one("h1")["text"] == "没有此处的权限"
    assert (
        chen.send("/access/people/chen/grant", {"role": "administrator"}, token=chen.get("/me").csrf).status_code
        == 403
    )


# --- programs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def program(server, lin, request):
    """A program that Lin added, with the role of a province in `testpark`."""
    name = re.sub(r"[^a-z0-9-]", "-", request.node.name.lower())[:50].strip("-")
    answer = send(lin, "/access/programs", "/access/programs", client=name, title="省平台", contact="it@example.org")
    assert answer.headers["location"] == f"/access/programs/{name}"
    page = f"/access/programs/{name}"
    send(lin, page, f"{page}/grant", role="province", park="testpark")
    return name


def shown_secret(answer):
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return Page(answer.text).one("input", class_="secret")["value"]


def opens(server, key):
    headers = {"authorization": f"Bearer {key}"}
    return httpx.get(f"{server.address}/api/v1/parks", headers=headers, timeout=60).status_code


def test_a_key_is_shown_once_and_opens(server, lin, program):
    page = f"/access/programs/{program}"
    answer = send(lin, page, f"{page}/keys", kind="api_key", days="90")
    key = shown_secret(answer)

    assert opens(server, key) == 200
    assert key not in lin.get(page).html
    assert key.split("_")[1] in lin.get("/access/programs").html
    entry = server.audit("makeProgramKey")[0]
    assert (entry.principal, entry.detail["kind"]) == ("person:lin", "api_key")
    assert key not in repr(entry)
    with connect(server.dsn, application="test") as connection:
        (row,) = read_secrets(connection, client=program)
    assert row.expires_at - row.made_at == timedelta(days=90)


def test_a_key_is_rotated_with_an_overlap_and_revoked(server, lin, program):
    page = f"/access/programs/{program}"
    old = shown_secret(send(lin, page, f"{page}/keys", kind="api_key", days="90"))
    new = shown_secret(send(lin, page, f"{page}/keys/{old.split('_')[1]}/rotate", overlap="24"))

    assert (opens(server, old), opens(server, new)) == (200, 200)
    again = lin.get(page)
    assert "已轮换" in again.html
    server.now = NOON + timedelta(hours=23)
    assert (opens(server, old), opens(server, new)) == (200, 200)
    server.now = NOON + timedelta(hours=24)
    assert (opens(server, old), opens(server, new)) == (401, 200)
    server.now = NOON
    answer = lin.send(f"{page}/keys/{new.split('_')[1]}/revoke", {}, token=again.csrf)
    assert flash(answer, lin) == [f"已吊销 {new.split('_')[1]}"]
    assert opens(server, new) == 401
    twice = lin.send(f"{page}/keys/{new.split('_')[1]}/revoke", {}, token=again.csrf)
    assert flash(twice, lin)[0].startswith("未完成")


def test_a_key_is_as_narrow_as_was_ticked(lin, program):
    page = f"/access/programs/{program}"
    boxes = {one["value"] for one in lin.get(page).all("input", name="scope")}
    assert boxes == {"parks:read", "aggregates:read"}
    send(lin, page, f"{page}/keys", kind="client_secret", days="30", scope=["aggregates:read"])

    row = next(one["text"] for one in lin.get(page).all("tr") if "客户端密钥" in one["text"])
    assert "取汇总数据" in row
    assert "园区名称" not in row


def test_a_program_is_shut_out_and_let_in_again(server, lin, program):
    page = f"/access/programs/{program}"
    key = shown_secret(send(lin, page, f"{page}/keys", kind="api_key", days="90"))
    fields = {"title": "省平台", "contact": ""}
    lin.send(f"{page}/details", fields | {"disabled": "yes"}, token=lin.get(page).csrf)
    assert opens(server, key) == 401
    assert "已停用" in lin.get("/access/programs").html

    lin.send(f"{page}/details", fields | {"disabled": "no"}, token=lin.get(page).csrf)
    assert opens(server, key) == 200


@pytest.mark.parametrize("name", ["", "Upper Case", "ä", "a"])
def test_a_name_that_is_none_is_told(lin, name):
    answer = send(lin, "/access/programs", "/access/programs", client=name, title="x")
    assert flash(answer, lin)[0].startswith("未完成：client")


def test_a_name_that_is_taken_is_told(lin, program):
    answer = send(lin, "/access/programs", "/access/programs", client=program, title="x")
    assert "there is a client" in flash(answer, lin)[0]


def test_keys_of_a_program_with_rights_elsewhere_are_not_made_by_an_administrator_of_one_park(server, wu):
    with connect(server.dsn, application="test") as connection:
        add_client(connection, "everywhere", title="全省", contact="", by="test", at=NOON)
        add_grant(connection, "client:everywhere", Grant(Role.PROVINCE, None), by="test", at=NOON)
        connection.commit()
    page = wu.get("/access/programs/everywhere")

    assert "生成新密钥" not in page.html
    answer = wu.send("/access/programs/everywhere/keys", {"kind": "api_key", "days": "30"}, token=page.csrf)
    assert answer.status_code == 403


# --- the audit log ------------------------------------------------------------------------------------------------


def test_the_log_is_shown_and_narrowed(server, lin):
    send(lin, "/access/people/wu", "/access/people/wu/grant", role="operator", park="testpark")
    lin.send("/access/people/wu/grant", {"role": "operator"}, token="no")  # noqa: S106  a form that is refused

    page = lin.get("/access/audit")
    assert "grantPersonRole" in page.one("table")["text"]
    only = lin.get("/access/audit", principal="person:lin", action="grant", park="testpark")
    assert {"testpark" in one["text"] for one in only.all("tr")[1:]} == {True}
    refused = lin.get("/access/audit", refused="yes")
    assert {re.search(r" [45]\d\d ", one["text"]) is not None for one in refused.all("tr")[1:]} == {True}
    assert lin.get("/access/audit", last_day="2000-01-01").all("table") == []
    assert lin.client.get("/access/audit?last_day=soon").status_code == 422
    assert lin.client.get("/access/audit?below=x").status_code == 422


def test_the_log_has_pages(lin, server):
    with connect(server.dsn, application="test") as connection:
        lines = (AuditEntry(NOON, "client:somebody", "key:ab12cd34ef56", "pull", park="testpark") for _ in range(101))
        add_audit(connection, *lines)
        connection.commit()
    newest = lin.get("/access/audit")
    older = newest.one(
        "a", class_="button", href=next(one["href"] for one in newest.all("a") if "below" in one["href"])
    )

    numbers = [one["text"] for one in newest.all("tr")[1:]]
    assert len(numbers) == 100
    page = lin.get(older["href"])
    assert page.all("tr")[1:]
    assert page.one("a", href="/access/audit", class_="button")["text"] == "最新"


def test_an_administrator_of_one_park_sees_its_lines_only(server, lin, wu):
    send(lin, "/access/people/chen", "/access/people/chen/grant", role="operator", park="testpark")
    send(lin, "/access/people/chen", "/access/people/chen/grant", role="operator", park="")

    rows = [one["text"] for one in wu.get("/access/audit").all("tr")[1:]]
    assert rows
    assert {"testpark" in row for row in rows} == {True}
